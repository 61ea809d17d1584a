"""The configuration: where it is found, what it refuses, all faults at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dropglow.config import Config, Limits, load_config
from dropglow.errors import ConfigError
from dropglow.firefly.settings import ApiSettings
from dropglow.intake.plan import WatchMode
from dropglow.locating import find_config
from dropglow.rules.folders import unwritable_inboxes
from dropglow.rules.load import Harvest, load_rule_file
from dropglow.rules.places import lies_inside, look

RULE = """
  - name: {name}
    inbox: {inbox}
    outbox: {outbox}
    expand: {{}}
"""
EXAMPLES = Path(__file__).parents[2] / "rules"


def rule(name: str = "a", inbox: str = "in", outbox: str = "out", more: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in more.splitlines())
    return RULE.format(name=name, inbox=inbox, outbox=outbox) + lines


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str, **environ: str) -> Config:
    write(folder / "dropglow.yaml", text)
    return load_config(None, environ={"HOME": str(folder), **environ}, cwd=str(folder))


def faults(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **environ)
    assert "dropglow check" in caught.value.hint
    return [fault.removeprefix(f"{folder}/") for fault in caught.value.faults]


def make_folders(folder: Path) -> None:
    for name in ("in", "in2", "out"):
        (folder / name).mkdir(exist_ok=True)


def warned(folder: Path, text: str) -> list[str]:
    """Return the warnings about a configuration whose folders exist, from the line number on."""
    make_folders(folder)
    prefix = f"{folder}/dropglow.yaml:"
    return [warning.removeprefix(prefix) for warning in load(folder, text).warnings]


# ---------------------------------------------------------------- finding the file


def test_the_option_goes_before_the_environment(tmp_path: Path) -> None:
    """What is said on the command line is meant."""
    named = write(tmp_path / "a.yaml", "")

    assert str(named) == find_config("a.yaml", environ={"DROPGLOW_CONFIG": "b.yaml"}, cwd=str(tmp_path))


def test_a_folder_means_the_file_in_it(tmp_path: Path) -> None:
    """``--config DIR`` is ``DIR/dropglow.yaml``."""
    expected = write(tmp_path / "etc" / "dropglow.yaml", "")

    assert str(expected) == find_config("etc", environ={}, cwd=str(tmp_path))


def test_places_are_tried_in_turn(tmp_path: Path) -> None:
    """The environment, then here, then the user's own configuration."""
    home = write(tmp_path / ".config" / "dropglow" / "dropglow.yaml", "")
    xdg = write(tmp_path / "xdg" / "dropglow" / "dropglow.yaml", "")
    here = write(tmp_path / "cwd" / "dropglow.yaml", "")
    named = write(tmp_path / "named.yaml", "")
    environ = {"HOME": str(tmp_path)}
    both = environ | {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}

    assert str(home) == find_config(None, environ=environ, cwd=str(tmp_path))
    assert str(xdg) == find_config(None, environ=both, cwd=str(tmp_path))
    assert str(here) == find_config(None, environ=both, cwd=str(tmp_path / "cwd"))
    assert str(named) == find_config(
        None, environ=both | {"DROPGLOW_CONFIG": str(named)}, cwd=str(tmp_path / "cwd")
    )


@pytest.mark.parametrize(
    ("option", "environ", "hint"),
    [("x.yaml", {}, "--config names it"), (None, {"DROPGLOW_CONFIG": "x.yaml"}, "$DROPGLOW_CONFIG names it")],
)
def test_a_named_file_must_be_there(
    tmp_path: Path, option: str | None, environ: dict[str, str], hint: str
) -> None:
    """A wrong name is not passed over for another place."""
    write(tmp_path / "dropglow.yaml", "")

    with pytest.raises(ConfigError, match=r"there is no configuration file .*/x\.yaml") as caught:
        find_config(option, environ=environ, cwd=str(tmp_path))

    assert hint in caught.value.hint


def test_without_any_file_the_places_are_named(tmp_path: Path) -> None:
    """Whoever starts from nothing learns where a file is looked for."""
    with pytest.raises(ConfigError, match="/etc/dropglow") as caught:
        find_config(None, environ={"HOME": str(tmp_path)}, cwd=str(tmp_path))

    assert "--config" in caught.value.hint


# ---------------------------------------------------------------- what is read


def test_the_defaults_are_the_contracts(tmp_path: Path) -> None:
    """A file with a rule and nothing else is enough."""
    make_folders(tmp_path)

    config = load(tmp_path, f"rules:{rule()}")

    assert Limits() == config.limits
    assert ApiSettings() == config.api
    assert str(tmp_path / ".local/state/dropglow") == config.state
    assert str(tmp_path / "dropglow.yaml") == config.path
    assert () == config.warnings


def test_every_setting_is_taken(tmp_path: Path) -> None:
    """What is written replaces the defaults; relative paths are relative to the file."""
    config = load(
        tmp_path,
        f"""
state: ./books
ledger: sqlite
api: {{base_url: "https://api.example.com/", scopes: [a, b], trusted_hosts: "api-*.example.com"}}
limits:
  in_flight: 3
  requests_per_minute: off
  requests_per_day: 10
  poll: {{min: 500ms, max: 20s}}
  job_timeout: 1h
budget: {{per_day: off}}
ignore: ["*.psd", "proofs/**"]
rules: {rule()}
""",
    )

    assert str(tmp_path / "books") == config.state
    assert "https://api.example.com" == config.api.base_url
    assert ("a", "b") == config.api.scopes
    assert ("api-*.example.com",) == config.api.trusted_hosts
    assert [("*.psd", "proofs/**")] == [inbox.ignore for inbox in config.inboxes]
    assert (3, None, 10, 0.5, 20.0, 3600.0) == (
        config.limits.in_flight,
        config.limits.requests_per_minute,
        config.limits.requests_per_day,
        config.limits.poll_s_min,
        config.limits.poll_s_max,
        config.limits.job_timeout_s,
    )


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/dropglow:/var/lib/other"}, "/var/lib/dropglow"),
        ({"XDG_STATE_HOME": "/xdg"}, "/xdg/dropglow"),
    ],
)
def test_the_state_has_a_usual_place(tmp_path: Path, environ: dict[str, str], expected: str) -> None:
    """systemd's folder, else the user's."""
    assert expected == load(tmp_path, f"rules:{rule()}", **environ).state


def test_the_environment_gives_addresses(tmp_path: Path) -> None:
    """A pretend service is tried without a change of files."""
    config = load(
        tmp_path,
        f"api: {{base_url: https://x.example.com}}\nrules:{rule()}",
        DROPGLOW_API_URL="http://127.0.0.1:8080/",
        DROPGLOW_TOKEN_URL="http://localhost:8080/token",
    )

    assert "http://127.0.0.1:8080" == config.api.base_url
    assert "http://localhost:8080/token" == config.api.token_url


def test_rules_come_in_order_of_file_names(tmp_path: Path) -> None:
    """File name first, whatever the folder; then the place in the file."""
    write(tmp_path / "z" / "10.yaml", f"rules:{rule('first', '../i1')}{rule('second', '../i2')}")
    write(tmp_path / "a" / "20.yaml", f"rules:{rule('third', '../i3')}")
    write(tmp_path / "a" / "empty.yaml", "# nothing yet\n")
    write(tmp_path / "a" / "none.yaml", "rules:\n")

    config = load(tmp_path, "rules: ['*/*.yaml']")

    assert ["first", "second", "third"] == [rule.name for rule in config.rules]
    assert str(tmp_path / "i1") == config.rules[0].inbox
    assert (str(tmp_path / "z" / "10.yaml"), 2) == (config.rules[0].file, config.rules[0].line)


def test_the_usual_place_of_rules(tmp_path: Path) -> None:
    """An empty configuration reads ``rules/*.yaml``."""
    write(tmp_path / "rules" / "a.yaml", f"rules:{rule()}")

    assert 1 == len(load(tmp_path, "").rules)


def test_a_home_folder_may_be_meant(tmp_path: Path) -> None:
    """A tilde is the home folder, as in a shell."""
    config = load(tmp_path, f"rules:{rule(inbox='~/in')}")

    assert os.path.expanduser("~/in") == config.rules[0].inbox  # noqa: PTH111


# ---------------------------------------------------------------- inboxes


def test_rules_of_one_inbox_share_a_plan(tmp_path: Path) -> None:
    """The most careful settle, the shortest rescan, every folder of theirs left alone."""
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to("in")
    first = rule("a", "in", "out", "settle: 5s\nrescan: 1m")
    second = rule("b", "./x/../link", "out", f"settle: 1s\nwatch: poll\ndone: delete\nfailed: {tmp_path}/bad")

    config = load(tmp_path, f"rules:{first}{second}")

    (plan,) = config.inboxes
    inbox = str(tmp_path / "in")
    assert (inbox, 5.0, 30.0, WatchMode.POLL) == (plan.folder, plan.settle_s, plan.rescan_s, plan.watch)
    assert (f"{inbox}/_done", f"{inbox}/_failed", f"{inbox}/_held") == plan.reserved
    assert config.rules[1].after.done is None


def test_inboxes_come_in_order_of_their_rules(tmp_path: Path) -> None:
    """The first rule's inbox is the first."""
    config = load(tmp_path, f"rules:{rule('a', 'z')}{rule('b', 'y')}{rule('c', 'z')}")

    assert [str(tmp_path / "z"), str(tmp_path / "y")] == [plan.folder for plan in config.inboxes]
    assert all(plan.watch is WatchMode.AUTO for plan in config.inboxes)


# ---------------------------------------------------------------- faults


def test_five_slips_make_five_lines_with_their_places(tmp_path: Path) -> None:
    """All faults come at once, in order, each with file, line and column."""
    text = """\
rules:
  - name: social
    inbox: in
    outbox: in/results
    mach: {kind: image}
    expand:
      sizes: [2048x2048, huge]
      variations: 7
    settle: 2
"""

    told = faults(tmp_path, text)

    assert ["4:13", "5:5", "7:26", "8:19", "9:13"] == [
        fault.removeprefix("dropglow.yaml:").partition(": ")[0] for fault in told
    ]
    assert "did you mean match?" in told[1]


def test_faults_of_all_files_come_together(tmp_path: Path) -> None:
    """One broken file hides no fault of another."""
    write(tmp_path / "rules" / "a.yaml", "rules: [\n")
    write(tmp_path / "rules" / "b.yaml", f"rules:{rule(more='nope: 1')}")

    told = faults(tmp_path, "limits: {in_flight: 0}\n")

    assert ["dropglow.yaml", "rules/a.yaml", "rules/b.yaml"] == [fault.partition(":")[0] for fault in told]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: no/*.yaml", "dropglow.yaml:1:8: no rule file is at"),
        ("rules: [empty.yaml]", "dropglow.yaml:1:8: there is no rule at all"),
        ("rules: latin.yaml", "latin.yaml:2:3: this is not UTF-8 text"),
        ("rules: list.yaml", "list.yaml:1:1: a rule file begins with the line 'rules:'"),
        ("rules: word.yaml", "word.yaml:1:8: rules should be a list, each rule after a dash, not 'x'"),
        ("rules: extra.yaml", "extra.yaml:1:1: unknown key rule; did you mean rules?"),
        ("a: [", "dropglow.yaml:1:5: this is not YAML"),
        ("- a", "dropglow.yaml:1:1: the file should be a block of keys, not a list"),
    ],
)
def test_files_that_are_no_rule_files_are_told(tmp_path: Path, text: str, expected: str) -> None:
    """Each way to miss has its sentence."""
    write(tmp_path / "empty.yaml", "")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\n# \xe9\n")
    write(tmp_path / "list.yaml", "- a")
    write(tmp_path / "word.yaml", "rules: x")
    write(tmp_path / "extra.yaml", f"rule: 1\nrules:{rule()}")

    assert any(fault.startswith(expected) for fault in faults(tmp_path, text))


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    """A rule file may go between its listing and its reading."""
    harvest = Harvest()

    load_rule_file(str(tmp_path / "gone.yaml"), environ={}, harvest=harvest)

    assert [f"{tmp_path}/gone.yaml:1:1: this file cannot be read: No such file or directory"] == [
        str(fault) for fault in harvest.faults
    ]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (rule("a", "in", "in"), "4:13: the outbox lies inside the inbox"),
        (rule("a", "in", "in/out"), "4:13: the outbox lies inside the inbox"),
        (rule("a", "out/in", "out"), "4:13: the inbox "),
        (rule("a", "in") + rule("b", "in/sub"), "this inbox lies inside another"),
        (rule("a", "."), "this file lies inside the inbox"),
        (rule("a", "."), "this file with its rules lies inside the inbox"),
        (rule("a", more="done: ."), "done is the inbox itself"),
        (rule("a") + rule("b", "in2", more="failed: ../in/x"), "failed lies inside another inbox"),
        (rule("a", more="done: ../out"), "6:11: done is the outbox "),
        (rule("a", more="failed: ../out/bad"), "6:13: failed lies inside the outbox "),
        (rule("a", more="done: ../out2/x") + rule("b", outbox="out2"), "6:11: done lies inside the outbox "),
        (
            rule("a", more="done: keep\nfailed: ../in/x"),
            "7:13: failed lies inside the inbox, which `done: keep`",
        ),
        (
            rule("a", more="done: keep") + rule("b"),
            "8:5: a says `done: keep`, and b moves originals of the same inbox",
        ),
        (
            rule("a") + rule("b", more="done: keep"),
            "11:11: b says `done: keep`, and a moves originals of the same inbox",
        ),
        (rule("a", more="done: /proc/x"), "done is on another file system than the inbox"),
        (rule("a", more="ready: '{name}.tmp'"), "{name}.tmp is a hidden or temporary name"),
        (rule("a", more="watch: poll") + rule("b", more="watch: notify"), "an inbox is watched in one way"),
        (rule("a") + rule("a", "in2"), "another rule has the name a already, at"),
        (rule("a", more="group: no-such-group-here"), "there is no group no-such-group-here"),
        (rule("a", more="delivery: {group: no-such-group-here}"), "there is no group no-such-group-here"),
        (rule("a") + "  - 17\n", "6:5: a rule should be a block of keys that begins with 'name:', not 17"),
        (rule("a", "${NOWHERE}"), "3:12: the environment variable NOWHERE is not set"),
    ],
)
def test_rules_that_would_do_harm_are_refused(tmp_path: Path, rules: str, words: str) -> None:
    """Loops, lost files and mixed-up inboxes are told before anything is bought."""
    assert any(words in fault for fault in faults(tmp_path, f"rules:{rules}"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("ready: '{name}.done'\n    expand: {}", "ready: {name}.done is what `ignore` leaves alone"),
        ("fill: {mask: {sidecar: '{stem}.done'}}", "sidecar: {stem}.done is what `ignore` leaves alone"),
        ("fill: {mask: {sidecar: '{stem}.part'}}", "sidecar: {stem}.part is a hidden or temporary name"),
    ],
)
def test_what_belongs_to_a_drop_must_be_seen(tmp_path: Path, more: str, words: str) -> None:
    """A drop would wait for ever, or in vain, for a file that nobody looks at."""
    text = rule().replace("expand: {}", more)

    assert any(words in fault for fault in faults(tmp_path, f'ignore: ["*.done"]\nrules:{text}'))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api: {base_url: '${MYAPI}'}\nrules:" + rule(), ["1:17"]),
        (
            "api: {base_url: 'https://${MYAPI}/', token_url: 'http://127.0.0.1/t'}\nrules:" + rule(),
            ["1:17"],
        ),
        ("api: ${MYAPI}\nstate: '${MYAPI}'\nrules:" + rule(), ["1:6", "2:8"]),
        ("rules: ${MYAPI}", ["1:8"]),
        ("rules: [a.yaml, '${MYAPI}']", ["1:17"]),
        ("${MYAPI}", ["1:1"]),
        ("rules:" + rule(name="${MYAPI}", inbox="${MYAPI}", outbox="${MYAPI}"), ["2:11", "3:12", "4:13"]),
        ("rules:\n  - ${MYAPI}\n" + rule().lstrip("\n"), ["2:5"]),
        ("rules:" + rule().replace("{}", "${MYAPI}"), ["5:13"]),
        ("rules:" + rule().replace("{}", "{sizes: ['${MYAPI}', big]}"), ["5:22", "5:34"]),
        ("rules:" + rule().replace("{}", "{size: {width: '${MYAPI}', height: 9}}"), ["5:28"]),
        ("rules:" + rule().replace("{}", "{mask: {source: '${MYAPI}'}, size: '${MYAPI}'}"), ["5:29", "5:48"]),
        ("rules:" + rule(more="settle: ${MYAPI}\nalso: ${MYAPI}\nmode: ${MYAPI}"), ["6:13", "7:11", "8:11"]),
        ("limits: {in_flight: '${MYAPI}', poll: {min: .inf}}\nrules:" + rule(), ["1:21", "1:45"]),
    ],
)
def test_a_variable_that_is_not_set_is_one_fault(tmp_path: Path, text: str, expected: list[str]) -> None:
    """A value that nobody knows is not found empty, missing or too short as well."""
    told = faults(tmp_path, text)

    assert expected == [fault.removeprefix("dropglow.yaml:").partition(": ")[0] for fault in told]


def test_a_rule_file_without_its_rules_is_one_fault(tmp_path: Path) -> None:
    """The same holds for a rule file."""
    write(tmp_path / "a.yaml", "rules: ${MYAPI}\n")
    write(tmp_path / "b.yaml", "${MYAPI}\n")

    told = faults(tmp_path, "rules: '*.yaml'".replace("*", "[ab]"))

    assert ["a.yaml:1:8: the environment variable MYAPI is not set"] == told[:1]
    assert ["b.yaml:1:1: the environment variable MYAPI is not set"] == told[1:]


@pytest.mark.parametrize("rules", ["5", "[]", "[5]"])
def test_no_rule_file_is_looked_for_where_rules_are_at_fault(tmp_path: Path, rules: str) -> None:
    """The usual place stands in for rules that are not mentioned, not for wrong ones."""
    (fault,) = faults(tmp_path, f"rules: {rules}")

    assert fault.startswith("dropglow.yaml:1:")


def test_nesting_is_seen_through_links(tmp_path: Path) -> None:
    """An outbox that reaches the inbox by a link is inside it all the same."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere").symlink_to("in/deep")

    (fault,) = faults(tmp_path, f"rules:{rule(outbox='elsewhere/out')}")

    assert "the outbox lies inside the inbox" in fault


def test_the_state_stays_out_of_inboxes(tmp_path: Path) -> None:
    """The ledger is no drop."""
    (fault,) = faults(tmp_path, f"state: in/state\nrules:{rule()}")

    assert fault.startswith("dropglow.yaml:1:8: the state folder")


def test_several_rules_may_share_a_watch(tmp_path: Path) -> None:
    """Saying the same twice is no contradiction; a known group is none either."""
    config = load(tmp_path, f"rules:{rule('a', more='watch: poll')}{rule('b', more='watch: poll')}")

    assert 2 == len(config.rules)


@pytest.mark.parametrize("group", ["0", "root"])
def test_groups_are_named_or_numbered(tmp_path: Path, group: str) -> None:
    """A group that exists passes."""
    more = f"group: '{group}'"

    config = load(tmp_path, f"rules:{rule(more=more)}")

    assert group == config.rules[0].group


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ("none.png", "cannot be used"),
        (".", "is not a file"),
        ("empty.png", "has 0 bytes"),
        ("in/m.png", "inside an inbox"),
    ],
)
def test_files_that_a_rule_needs_must_be_there(tmp_path: Path, mask: str, words: str) -> None:
    """A missing mask is told before the first drop comes."""
    write(tmp_path / "empty.png", "")
    write(tmp_path / "in" / "m.png", "x")
    text = f"rules:{rule()}".replace("expand: {}", f"expand: {{mask: {mask}}}")

    assert any(words in fault for fault in faults(tmp_path, text))


def test_a_file_that_is_there_is_named_absolutely(tmp_path: Path) -> None:
    """References are relative to the rule file."""
    write(tmp_path / "masks" / "m.png", "x")
    config = load(tmp_path, f"rules:{rule()}".replace("expand: {}", "expand: {mask: masks/m.png}"))
    (picture,) = config.rules[0].parameters.pictures()

    assert str(tmp_path / "masks" / "m.png") == picture.source.path


@pytest.mark.parametrize(
    ("api", "words"),
    [
        ("base_url: http://example.com", "should begin with https://"),
        ("base_url: ftp://example.com", "should be an address like https://host"),
        ("base_url: 'https://[::1'", "should be an address like https://host"),
        ("base_url: 'https://user:pw@example.com'", "credentials never stand here"),
        ("base_url: 'https://example.com?x=1'", "credentials never stand here"),
        ("base_url: 'https://:pw@example.com'", "credentials never stand here"),
        ("base_url: 'https://pw@example.com'", "credentials never stand here"),
        ("base_url: 'ftp://user:pw@example.com'", "should be an address like https://host"),
        ("base_url: 'user:pw@example.com'", "should be an address like https://host"),
        ("base_url: '//user:pw@example.com'", "should be an address like https://host"),
        ("base_url: 'https://example.com?'", "should hold no user name, query or fragment"),
        ("base_url: 'https://example.com/#'", "should hold no user name, query or fragment"),
        ("base_url: 'https://example.com/a b'", "should be an address like https://host"),
        ('base_url: "https://exa\\nmple.com"', "should be an address like https://host"),
        ("base_url: 'https://example.com\\\\@evil.com'", "should be an address like https://host"),
        ("base_url: [https://user:pw@example.com]", "base_url should be text, not a list"),
        ("token_url: 'https://user:pw@example.com'", "token_url should hold no user name"),
        ("token_url: 'https://example.com/t?key=pw@'", "token_url should hold no user name"),
        ("token_url: 'https://example.com/t#x'", "token_url should hold no user name"),
        ("trusted_hosts: 'https://user:pw@example.com'", "trusted_hosts should hold host names"),
        ("{result_hosts: ['user:pw@example.com']}", "result_hosts should hold host names"),
        ("token_url: 'http://127.0.0.1/token'", "token_url should begin with https://"),
        (
            "{base_url: 'http://127.0.0.1', token_url: 'http://example.com/t'}",
            "token_url should begin with https://",
        ),
        ("trusted_hosts: ['*']", "should hold host names like *.example.com"),
        ("trusted_hosts: ['*.com']", "should hold host names like *.example.com"),
        ("result_hosts: ['https://example.com']", "should hold host names like *.example.com"),
    ],
)
def test_addresses_are_checked(tmp_path: Path, api: str, words: str) -> None:
    """A token goes nowhere by accident, and no secret is repeated in a message."""
    text = f"api: {api if api.startswith('{') else '{' + api + '}'}\nrules:{rule()}"

    told = faults(tmp_path, text)

    assert any(words in fault for fault in told)
    assert not any("pw" in fault for fault in told)


def test_an_address_in_the_wrong_place_keeps_its_password(tmp_path: Path) -> None:
    """A fault repeats what was written, but for what stands before the @ of an address."""
    (fault,) = faults(
        tmp_path, f"api: https://user:pw-that-is-rather-long-0123456789@example.com\nrules:{rule()}"
    )

    assert "api should be a block of keys, not 'https://…@example.com'" in fault


def test_an_address_of_the_environment_keeps_its_password(tmp_path: Path) -> None:
    """A variable is checked as the file is, and repeated no more than it."""
    (fault,) = faults(tmp_path, f"rules:{rule()}", DROPGLOW_TOKEN_URL="https://user:pw@example.com/t")

    assert fault.startswith("$DROPGLOW_TOKEN_URL:1:1: token_url should hold no user name")
    assert "pw" not in fault


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost", "http://[::1]:9"])
def test_a_loopback_address_may_be_plain(tmp_path: Path, url: str) -> None:
    """The sandbox needs no certificate."""
    assert url == load(tmp_path, f"api: {{base_url: '{url}'}}\nrules:{rule()}").api.base_url


def test_a_wrong_address_from_the_environment_names_its_variable(tmp_path: Path) -> None:
    """The fault is not looked for in a file."""
    (fault,) = faults(tmp_path, f"rules:{rule()}", DROPGLOW_API_URL="http://example.com")

    assert fault.startswith("$DROPGLOW_API_URL:1:1: base_url should begin with https://")


def test_polling_has_an_order(tmp_path: Path) -> None:
    """The longest pause is not shorter than the shortest."""
    (fault,) = faults(tmp_path, f"limits: {{poll: {{min: 5s, max: 1s}}}}\nrules:{rule()}")

    assert "dropglow.yaml:1:31: max (1s) is shorter than min (5s)" == fault


def test_warnings_come_with_their_places(tmp_path: Path) -> None:
    """What Adobe may refuse is said, and the configuration is good all the same."""
    text = f"rules:{rule()}".replace("expand: {}", "generate: {size: 100x100}")

    (warning,) = warned(tmp_path, text)

    assert re.match(r"5:22: image3 is not known to make 100x100", warning)


@pytest.mark.parametrize(
    ("done", "meant"),
    [("kep", "keep"), ("Keep", "keep"), ("deleted", "delete"), ("./kep", ""), ("_done", ""), ("keep", "")],
)
def test_a_slip_in_a_word_is_no_folder_in_silence(tmp_path: Path, done: str, meant: str) -> None:
    """Whoever wants originals to stay does not find them in a folder."""
    told = warned(tmp_path, "rules:" + rule("a", more=f"done: {done}"))

    assert bool(meant) == any(f"did you mean {meant}? if not, ./{done} says so" in each for each in told)


def test_an_inbox_that_is_only_read_is_never_made(tmp_path: Path) -> None:
    """One that is missing may be a share that is not mounted, whatever the folder around it."""
    (tmp_path / "out").mkdir()

    (warning,) = load(tmp_path, "rules:" + rule("a", more="done: keep")).warnings

    assert "with `done: keep` it is not made: is the share mounted?" in warning


def test_an_inbox_that_is_only_read_has_its_workshop_in_the_state_folder(tmp_path: Path) -> None:
    """By its path: another inbox has another; and reports go below the outbox unless the rule says where."""
    second = rule("b", "in2", more="done: keep\nfailed: ../reports") + rule("c", "in3")
    config = load(tmp_path, "state: state\nrules:" + rule("a", more="done: keep") + second)

    workshops = [plan.workshop for plan in config.inboxes]
    assert [True, True, False] == [plan.keeps for plan in config.inboxes]
    assert all(each.startswith(f"{tmp_path}/state/kept/") for each in workshops[:2])
    assert 3 == len(set(workshops))
    assert [f"{tmp_path}/out/_failed", f"{tmp_path}/reports"] == [
        each.after.failed for each in config.rules[:2]
    ]


def test_folders_that_earlier_rules_used_are_left_alone(tmp_path: Path) -> None:
    """Other names for `done` and `failed`, or none, make no drops of what lies in the usual ones."""
    (tmp_path / "in").mkdir()
    more = "done: archive\nfailed: wrong"

    plans = [load(tmp_path, "rules:" + rule("a", more=more)).inboxes[0] for more in (more, "done: keep")]

    usual = tuple(f"{tmp_path}/in/{name}" for name in ("_done", "_failed", "_held"))
    assert [(*usual, f"{tmp_path}/in/archive", f"{tmp_path}/in/wrong"), usual] == [
        plan.reserved for plan in plans
    ]


def test_an_inbox_that_cannot_be_written_to_is_told_once(tmp_path: Path) -> None:
    """Nothing could be taken out of it; one that is only read, or is not there yet, is no trouble."""
    make_folders(tmp_path)
    text = "".join((
        "rules:",
        rule("a") + rule("b") + rule("c", "in2", more="done: keep") + rule("d", "in3"),
    ))  # fmt: skip
    harvest = Harvest()
    load_rule_file(str(write(tmp_path / "rules.yaml", text)), environ={}, harvest=harvest)

    told = [*unwritable_inboxes(harvest.rules, look=lambda path: replace(look(path), writable=False))]

    assert [(3, "in")] == [(each.line, each.message.split()[2].removeprefix(f"{tmp_path}/")) for each in told]
    assert "`done: keep` leaves originals where they are" in told[0].message
    assert [] == [*unwritable_inboxes(harvest.rules, look=look)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [("", []), ("failed: ../reports", ["failed has no effect on files that first takes too"])],
)
def test_reports_of_a_second_rule_are_told_where_it_says_so(
    tmp_path: Path, more: str, expected: list[str]
) -> None:
    """Another outbox alone asks for no other place; what is written down and has no effect is told."""
    (tmp_path / "out2").mkdir()
    first = rule("first", more="also: true\ndone: keep")
    text = "rules:" + first + rule("b", outbox="out2", more=f"done: keep\n{more}")

    found = warned(tmp_path, text)

    assert len(expected) == len(found)
    assert all(words in warning for words, warning in zip(expected, found, strict=True))


FIRST = rule("first", more="also: true\nmatch: {orientation: square}")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (FIRST + rule("b", more="done: delete"), ["13:11: done has no effect on files that first takes too"]),
        (
            FIRST + rule("b", more="failed: bad"),
            ["13:13: failed has no effect on files that first takes too"],
        ),
        (
            rule("first", more="also: true\ndone: x") + rule("b"),
            ["9:5: done has no effect on files that first"],
        ),
        (FIRST + rule("b", more="also: true") + rule("c", more="done: x"), ["19:11: done has no effect"]),
        (
            FIRST + rule("b", more="match: {name: x}") + rule("c", more="done: x"),
            ["19:11: done has no effect"],
        ),
        (FIRST + rule("b"), []),
        (FIRST + rule("b", more="done: _done"), []),
        (FIRST + rule("b", "in2", more="done: delete"), []),
        (FIRST + rule("b") + rule("c", more="done: delete"), []),
        (rule("a") + rule("b", more="done: delete"), []),
        (FIRST + rule("b", more="done: delete\nmatch: {orientation: portrait}"), []),
        (FIRST + rule("b", more="done: delete").replace("expand", "generate"), []),
    ],
)
def test_the_first_rule_decides_where_a_shared_file_goes(
    tmp_path: Path, rules: str, expected: list[str]
) -> None:
    """A later rule that asks for something else is told before anybody misses a file."""
    told = warned(tmp_path, f"rules:{rules}")

    assert len(expected) == len(told)
    assert all(warning.startswith(words) for warning, words in zip(told, expected, strict=True))


@pytest.mark.parametrize(
    ("more", "place"), [("collision: skip", "6:16"), ("delivery: {collision: skip}", "6:27")]
)
def test_results_that_would_be_paid_and_thrown_away_are_told(tmp_path: Path, more: str, place: str) -> None:
    """The warning stands where the word stands."""
    (warning,) = warned(tmp_path, f"rules:{rule(more=more)}")

    assert warning.startswith(f"{place}: collision skip: a result whose name is taken")


def test_a_folder_that_is_missing_is_a_warning(tmp_path: Path) -> None:
    """A slip of the pen in a path is seen before a new folder is made for it."""
    site = tmp_path / "site"
    (site / "out").mkdir(parents=True)
    share = f"{tmp_path}/share/out"

    told = load(site, f"rules:{rule('a')}{rule('b', outbox=share)}{rule('c', 'new/in', share)}").warnings

    assert [
        f"3:12: the inbox {site}/in does not exist yet; it will be made",
        f"9:13: the outbox {share} does not exist, and neither does the folder it is in: is the share mounted?",
        f"13:12: the inbox {site}/new/in does not exist yet; it will be made",
    ] == [warning.removeprefix(f"{site}/dropglow.yaml:") for warning in told]


# ---------------------------------------------------------------- the rest


def test_a_path_is_not_inside_its_namesake(tmp_path: Path) -> None:
    """A folder with a longer name is another folder."""
    (tmp_path / "in").mkdir()

    assert not lies_inside(str(tmp_path / "inbox"), str(tmp_path / "in"))
    assert not lies_inside(str(tmp_path / "a"), str(tmp_path / "missing"))
    assert lies_inside(str(tmp_path / "in"), str(tmp_path / "in"))
    assert lies_inside("/etc", "/")


def examples() -> Iterator[str]:
    """Yield the configurations that the examples' page shows."""
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    yield from re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)


@pytest.mark.parametrize("text", list(examples()))
def test_the_example_rules_are_right(tmp_path: Path, text: str) -> None:
    """What the project shows passes its own check, without a warning."""
    (tmp_path / "rules").symlink_to(EXAMPLES)

    for each in load(tmp_path, text).rules:
        for folder in (each.inbox, each.outbox):
            Path(folder).mkdir(parents=True, exist_ok=True)

    config = load(tmp_path, text)

    assert len(list(EXAMPLES.glob("*.yaml"))) == len({each.file for each in config.rules})
    assert () == config.warnings


def test_configuration_is_read_without_heavy_libraries() -> None:
    """Every command starts here, so nothing slow is imported."""
    program = "import sys, dropglow.config; print([m for m in ('httpx', 'structlog', 'watchdog', 'PIL') if m in sys.modules])"

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "[]" == told.stdout.strip()


WHOLE = rule("whole", more="drop: folder")


def test_a_folder_goes_to_one_place(tmp_path: Path) -> None:
    """Rules that may share a folder have to agree on where it goes."""
    make_folders(tmp_path)
    other = rule("b", more="drop: folder\ndone: x")

    told = faults(tmp_path, f"rules:{WHOLE}{other}")

    assert 1 == len(told)
    assert "done differs from that of whole, and both take whole folders of this inbox" in told[0]
    assert load(tmp_path, f"rules:{WHOLE}{rule('b', 'in2', more='drop: folder')}").inboxes[0].folders


def test_a_rule_that_sees_no_sub_folder_is_told(tmp_path: Path) -> None:
    """Another rule of its inbox takes them whole; a rule of another inbox is not concerned."""
    text = f"rules:{rule('single', more='also: true')}{WHOLE}{rule('else', 'in2')}"

    (warning,) = warned(tmp_path, text)

    assert "this rule takes only files that lie in the inbox itself: whole says drop: folder" in warning


def test_what_cannot_stand_beside_drop_folder(tmp_path: Path) -> None:
    """Nothing that no rule takes is ever deleted."""
    make_folders(tmp_path)

    told = faults(tmp_path, f"rules:{rule(more='drop: folder' + chr(10) + 'done: delete')}")
    wrong = faults(tmp_path, f"rules:{rule(more='drop: folders')}")

    marked = faults(
        tmp_path, f"rules:{rule(more='drop: folder' + chr(10) + 'ready: ' + repr('{name}.done'))}"
    )

    assert "done: delete cannot stand beside drop: folder" in told[0]
    assert "ready cannot stand beside drop: folder" in marked[0]
    assert "drop should be file or folder, not 'folders'; did you mean folder?" in wrong[0]


def test_a_folder_cannot_stay_in_its_inbox(tmp_path: Path) -> None:
    """A rule that takes whole folders moves them; that is told once, whatever else its inbox's rules disagree on."""
    make_folders(tmp_path)
    keeping, moving = rule("stay", more="done: keep"), rule("b")

    (alone,) = faults(tmp_path, f"rules:{rule('a', more='drop: folder' + chr(10) + 'done: keep')}")
    (before,) = faults(tmp_path, f"rules:{keeping}{WHOLE}")
    (after,) = faults(tmp_path, f"rules:{WHOLE}{moving}{keeping}{rule('too', more='done: keep')}")

    assert "7:11: done: keep cannot stand beside drop: folder: a whole folder is moved" in alone
    told = "done: keep cannot stand beside drop: folder, which whole says of the same inbox"
    assert f"6:11: {told}" in before
    assert f"17:11: {told}" in after
    assert load(tmp_path, f"rules:{WHOLE}{rule('b', 'in2', more='done: keep')}").inboxes[1].keeps


def test_a_folder_lies_still_for_longer(tmp_path: Path) -> None:
    """People make one and fill it by hand; whoever says how long has his way."""
    make_folders(tmp_path)
    quick = rule("b", "in2", more="drop: folder\nsettle: 1s")

    whole, said = load(tmp_path, f"rules:{WHOLE}{quick}").inboxes

    assert (30.0, 1.0) == (whole.settle_s, said.settle_s)


PROMPTS = "match: {kind: prompt}"


def _generating(text: str) -> str:
    return text.replace("expand:", "generate:")


@pytest.mark.parametrize(
    ("ready", "second", "expected"),
    [
        ("{stem}.txt", _generating(rule("words", more=PROMPTS)), ["words never gets a file like beach.txt"]),
        (
            "{stem}.txt",
            _generating(rule("words", more="match: {kind: prompt, name: '*.PROMPT'}")),
            [],
        ),
        ("{stem}.prompt", _generating(rule("words", more=PROMPTS)), ["like beach.prompt: in this inbox"]),
        ("{name}.ready", _generating(rule("words", more=PROMPTS)), []),
        ("{stem}.txt", _generating(rule("words", "in2", more=PROMPTS)), []),
        ("{stem}.txt", rule("whole", more="drop: folder"), []),
    ],
)
def test_a_marker_named_like_the_drops_of_another_rule_is_told(
    tmp_path: Path, ready: str, second: str, expected: list[str]
) -> None:
    """No rule of the inbox takes a marker: all prompts would lie there for ever."""
    marking = rule("photos", more=f"ready: '{ready}'\nmatch: {{name: 'x*', kind: image}}")

    told = [each for each in warned(tmp_path, f"rules:{marking}{second}") if "marker" in each]

    assert len(expected) == len(told)
    assert all(words in warning for words, warning in zip(expected, told, strict=True))
