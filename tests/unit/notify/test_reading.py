"""The block ``notify`` of a configuration: what is read from it, and every fault in words that hold no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
import yaml

from dropglow.config import Config, load_config
from dropglow.errors import ConfigError
from dropglow.notices import Bounds, Topic
from dropglow.notify.reading import settings_of
from dropglow.notify.settings import (
    Apprise,
    Mail,
    Ntfy,
    Receiver,
    Tls,
    Webhook,
    address_fault,
    is_here,
    is_near,
)
from dropglow.rules.receivers import NotifyShape
from dropglow.secrecy import Secret

README: Final = Path(__file__).parents[3] / "README.md"
RULE: Final = "rules:\n  - {name: a, inbox: in, outbox: out, expand: {}}\n"
MAIL: Final = "server: smtp.example.com, sender: d@example.com, to: [a@example.com, b@example.com]"


def load(folder: Path, *receivers: str, block: str = "") -> Config:
    lines = "".join(f"    - {{{receiver}}}\n" for receiver in receivers)
    (folder / "dropglow.yaml").write_text(f"state: ./state\n{RULE}notify:\n  receivers:\n{lines}{block}")
    return load_config(
        None, environ={"HOME": str(folder), "HOOK": "https://h/canary-client-secret"}, cwd=str(folder)
    )


def faults(folder: Path, *receivers: str, block: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, *receivers, block=block)
    return [fault.removeprefix(f"{folder}/dropglow.yaml:") for fault in caught.value.faults]


def test_without_the_block_nobody_is_told(tmp_path: Path) -> None:
    """Silence is the default."""
    (tmp_path / "dropglow.yaml").write_text(f"state: ./state\n{RULE}")

    config = load_config(None, environ={"HOME": str(tmp_path)}, cwd=str(tmp_path))

    assert () == config.notify.receivers


def test_every_way_is_read(tmp_path: Path) -> None:
    """Addresses stand in the file or are secrets; ports follow from how the connection is kept private."""
    config = load(
        tmp_path,
        "name: hub, webhook: 'http://hub.lan:8123/api', tell: failures",
        "name: chat, webhook: secret",
        "name: phone, ntfy: 'https://ntfy.example.com/my-topic', tell: [failures, trouble]",
        "name: pager, ntfy: secret",
        f"name: ops, mail: {{{MAIL}, user: me}}",
        "name: old, mail: {server: localhost, tls: off, sender: d@example.com, to: a@example.com}",
        "name: tls, mail: {server: smtp.example.com, tls: implicit, sender: d@example.com, to: a@example.com}",
    )

    ways = [receiver.way for receiver in config.notify.receivers]
    assert [
        Webhook(address=Secret("http://hub.lan:8123/api")),
        Webhook(address=None),
        Ntfy(address=Secret("https://ntfy.example.com/my-topic")),
        Ntfy(address=None),
    ] == ways[:4]
    assert [(Tls.STARTTLS, 587), (Tls.OFF, 25), (Tls.IMPLICIT, 465)] == [
        (way.tls, way.port) for way in ways if isinstance(way, Mail)
    ]
    assert [False, True, False, True, True, False, False] == [
        each.needs_secret for each in config.notify.receivers
    ]
    topics = [receiver.topics for receiver in config.notify.receivers]
    assert [{Topic.FAILURES}, set(Topic), {Topic.FAILURES, Topic.TROUBLE}] == [
        set(each) for each in topics[:3]
    ]


def test_secrets_have_names_by_the_receiver() -> None:
    """One rule for all: systemd's credential, and the variable."""
    receiver = Receiver(name="ops_mail", way=Apprise())

    assert ("notify_ops_mail", "DROPGLOW_NOTIFY_OPS_MAIL") == (receiver.credential, receiver.variable)
    assert receiver.needs_secret


def test_bounds_and_digest_are_read(tmp_path: Path) -> None:
    """How much at most, and how long successes are gathered."""
    usual = load(tmp_path, "name: a, webhook: secret").notify.bounds
    said = load(
        tmp_path, "name: a, webhook: secret", block="  digest: 1h\n  per_hour: 3\n  per_day: 9\n"
    ).notify.bounds
    none = load(tmp_path, "name: a, webhook: secret", block="  digest: off\n").notify.bounds

    assert Bounds() == usual
    assert Bounds(per_hour=3, per_day=9, digest_s=3600.0) == said
    assert none.digest_s is None


@pytest.mark.parametrize(
    ("receiver", "fault"),
    [
        ("webhook: secret", "a receiver needs a name"),
        ("name: a", "a receiver needs one of webhook, ntfy, mail, apprise"),
        ("name: a, webhook: secret, ntfy: secret", "a receiver needs one of webhook, ntfy, mail, apprise, and only one"),
        ("name: Phone, webhook: secret", "name should be a short name like phone or ops_mail, in small letters, not 'Phone'"),
        ("name: a, webhok: secret", "unknown key webhok; did you mean webhook?"),
        ("name: a, webhook: 5", "webhook should be text"),
        ("name: a, webhook: '${HOOK}#x'", "webhook should hold no user name and no fragment"),
        ("name: a, webhook: 'https://me:canary-client-secret@h/x'", "webhook should hold no user name and no fragment"),
        ("name: a, webhook: 'ftp://h/canary-client-secret'", "webhook should be an address like https://host/path"),
        ("name: a, webhook: 'https://h:99999/x'", "webhook should be an address like https://host/path"),
        (
            "name: a, webhook: 'http://example.com/canary-client-secret'",
            "webhook should begin with https://; http:// is possible only within your own network",
        ),
        ("name: a, ntfy: 'https://ntfy.sh/'", "ntfy should name a topic, as in https://ntfy.sh/my-topic"),
        ("name: a, mail: {}", "mail needs server"),
        ("name: a, mail: {}", "mail needs sender"),
        ("name: a, mail: {}", "mail needs to"),
        ("name: a, mail: {server: 'smtp://x', sender: d@e.com, to: d@e.com}", "server should be a name like smtp.example.com"),
        ("name: a, mail: {server: smtp.e.com, sender: d@e.com, to: nobody}", "to should hold addresses like ops@example.com"),
        ("name: a, mail: {server: smtp.e.com, sender: 'D <d@e.com>', to: d@e.com}", "sender should hold addresses like ops@example.com"),
        (f"name: a, mail: {{{MAIL}, tls: off}}", "tls can be off only for a server in your own network"),
        (
            "name: a, mail: {server: mail.lan, tls: off, user: me, sender: d@e.com, to: d@e.com}",
            "tls cannot be off where somebody logs in: the password would travel in the clear",
        ),
        ("name: a, mail: {server: h, tls: maybe, sender: d@e.com, to: d@e.com}", "tls should be"),
        ("name: a, apprise: 'slack://canary-client-secret'", "apprise can only be the word secret"),
        ("name: a, webhook: secret, tell: everything", "tell should be"),
    ],
)  # fmt: skip
def test_every_fault_has_its_place_and_no_secret(tmp_path: Path, receiver: str, fault: str) -> None:
    """One clear sentence, which never repeats an address."""
    found = faults(tmp_path, receiver)
    (tmp_path / "dropglow.yaml").unlink()

    assert any(fault in each for each in found), found
    assert "canary" not in "".join(found)


@pytest.mark.parametrize(
    "receiver",
    ["name: Phone, webhook: secret", "name: a, webhok: secret", "name: a, mail: {server: 5, sender: d@e.com, to: d@e.com}",
     "name: a, ntfy: x", "name: a, webhook: secret, mail: {sender: d@e.com, to: d@e.com, tls: off, port: 0}"],
)  # fmt: skip
def test_one_mistake_is_one_fault(tmp_path: Path, receiver: str) -> None:
    """What could not be read is not missing as well."""
    assert 1 == len(faults(tmp_path, receiver))


@pytest.mark.parametrize("block", ["[https://h/canary-client-secret]", "https://h/canary-client-secret"])
def test_an_address_in_the_wrong_place_is_not_repeated(tmp_path: Path, block: str) -> None:
    """Who forgets the keys around an address does not find it in the log."""
    (tmp_path / "dropglow.yaml").write_text(f"state: ./state\n{RULE}notify:\n  receivers: {block}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(None, environ={"HOME": str(tmp_path)}, cwd=str(tmp_path))
    (tmp_path / "dropglow.yaml").unlink()

    assert caught.value.faults
    assert "canary" not in "".join(caught.value.faults)


def test_the_example_of_the_readme_is_sound() -> None:
    """Who copies it has no fault in it, and all four ways; the one that needs an extra is there to be uncommented."""
    page = README.read_text(encoding="utf-8").partition("## Notifications")[2].replace("# - {", "- {")
    shape = NotifyShape.model_validate(yaml.safe_load(page.split("```")[1].removeprefix("yaml"))["notify"])

    settings, problems = settings_of(shape, apprise=True)

    assert () == problems
    assert {Ntfy, Webhook, Mail, Apprise} == {type(receiver.way) for receiver in settings.receivers}


def test_two_receivers_cannot_share_a_name(tmp_path: Path) -> None:
    """Their secrets would be one."""
    assert ["7:14: there is another receiver named a"] == faults(
        tmp_path, "name: a, webhook: secret", "name: a, ntfy: secret"
    )


def test_apprise_is_refused_where_it_is_not_installed() -> None:
    """The extra is optional, and `check` says how it is had."""
    shape = NotifyShape.model_validate({"receivers": [{"name": "a", "apprise": "secret"}]})

    refused, (problem,) = settings_of(shape, apprise=False)
    taken, problems = settings_of(shape, apprise=True)

    assert "apprise is not installed here: install Dropglow with its extra `notify`" in problem.message
    assert ("notify", "receivers", 0, "apprise") == problem.path
    assert () == refused.receivers
    assert () == problems
    assert (Receiver(name="a", way=Apprise()),) == taken.receivers


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("localhost", True), ("nas", True), ("hub.local", True), ("127.0.0.1", True), ("192.168.1.7", True),
        ("fe80::1", True), ("example.com", False), ("8.8.8.8", False), ("local.example.com", False),
    ],
)  # fmt: skip
def test_what_is_near_may_be_spoken_to_in_the_clear(host: str, near: bool) -> None:
    """One's own network, by name or by address."""
    assert near is is_near(host)


@pytest.mark.parametrize(
    ("host", "here"), [("localhost", True), ("::1", True), ("nas", False), ("192.168.1.7", False)]
)
def test_what_is_here_is_this_machine(host: str, here: bool) -> None:
    """A password travels in the clear only where it does not travel."""
    assert here is is_here(host)


@pytest.mark.parametrize(
    "address", ["https://[::1", "https://a b/", "https://h\\@evil/", "https:///x", "http://h:0/"]
)
def test_odd_addresses_are_refused(address: str) -> None:
    """Programs disagree about them."""
    assert address_fault(address)
