"""``dropglow check --online`` and ``dropglow models`` against the sandbox, over a real connection."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Bench

MUG: Final = "urn:aaid:sc:VA6C2:3f1c9a52-6d0b-4c55-9a57-0c1d2b7e4a01"  # published, a subject, of image4
SLIP: Final = MUG.replace("6d0b", "6b0d")
INK: Final = "urn:aaid:sc:VA6C2:3f1c9a52-6d0b-4c55-9a57-0c1d2b7e4a02"  # published, a style, of image3
WINTER: Final = "urn:aaid:sc:VA6C2:3f1c9a52-6d0b-4c55-9a57-0c1d2b7e4a03"  # unpublished, of image4
PLAIN: Final = "rules:\n  - {name: art, inbox: in, outbox: out, generate: {size: 2048x2048}}\n"
CUSTOM: Final = """\
rules:
  - name: mugs
    inbox: in
    outbox: out
    generate: {{model: {model}, custom_model_id: "{named}"}}
"""


def custom(model: str, named: str) -> str:
    return CUSTOM.format(model=model, named=named)


@contextmanager
def denying(word: str) -> Iterator[str]:
    """Serve an API that lets nobody in, and says why by *word*."""

    class Denial(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(403)
            self.send_header("x-access-error", word)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Denial) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)


def test_good_credentials_and_a_good_account_are_said(bench: Bench) -> None:
    """One more line says that Adobe was asked, and nothing was bought."""
    result = bench.run(PLAIN, "check", "--online")

    assert 0 == result.exit_code
    assert [
        f"{bench.address} accepts the credentials, and the account may use Firefly",
        "1 rule, 1 inbox: all is well",
    ] == bench.lines(result)
    assert 0 == bench.world.books()["accepted"]


def test_without_the_switch_adobe_is_not_asked(bench: Bench) -> None:
    """A check of the files needs neither a network nor credentials."""
    result = bench.run(PLAIN, "check", "--json")

    assert json.loads(result.stdout)["online"] is None
    assert {} == bench.world.books()["requests"]


def test_faults_in_the_files_come_first(bench: Bench) -> None:
    """While a file is wrong, Adobe is not asked about it."""
    result = bench.run(PLAIN.replace("outbox", "outbax"), "check", "--online")

    assert 78 == result.exit_code
    assert {} == bench.world.books()["requests"]


def test_a_custom_model_that_fits_is_said(bench: Bench) -> None:
    """Its name and its base tell a person that it is the one that was meant."""
    result = bench.run(custom("image3_custom", INK), "check", "--online")

    assert 0 == result.exit_code
    assert (
        "rule mugs: the custom model Ink and Wash is published, trained upon Firefly Image 3"
        in bench.lines(result)
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            custom("image4_custom", SLIP),
            (
                f"dropglow.yaml:6:55: Adobe knows no custom model {SLIP}; did you mean {MUG}, which is "
                "Northwind Mug?"
            ),
        ),
        (
            custom("image4_custom", WINTER),
            (
                "dropglow.yaml:6:55: the custom model Winter Campaign is unpublished; its owner has to publish it "
                "before it can be used"
            ),
        ),
        (
            custom("image4_custom", INK),
            (
                "dropglow.yaml:6:23: the custom model Ink and Wash was trained upon Firefly Image 3, so that it goes "
                "with the model image3_custom, not image4_custom"
            ),
        ),
    ],
)
def test_a_custom_model_that_does_not_fit_is_a_fault_at_its_place(bench: Bench, text: str, line: str) -> None:
    """It counts like every other fault."""
    result = bench.run(text, "check", "--online")

    assert (78, [line]) == (result.exit_code, bench.lines(result))
    assert "orders would not go through: 1 fault" in result.stderr


def test_a_fault_in_a_rule_file_stands_there(bench: Bench) -> None:
    """The place is that of the rule, wherever it is written."""
    (bench.folder / "art.yaml").write_text(f"# by hand\n{custom('image4_custom', INK)}")

    result = bench.run("rules: art.yaml\n", "check", "--online")

    assert bench.lines(result)[0].startswith("art.yaml:6:23: the custom model Ink and Wash was trained upon")


def test_a_subject_that_prompts_have_to_say_is_a_warning(bench: Bench) -> None:
    """The prompts that will be dropped may say it."""
    result = bench.run(custom("image4_custom", MUG), "check", "--online")

    assert 0 == result.exit_code
    assert "each prompt has to say 'northwind mug'" in bench.lines(result)[0]
    assert bench.lines(result)[0].endswith("(a warning)")


@pytest.mark.parametrize(
    ("faults", "text", "line"),
    [
        (
            ("token_401=1",),
            PLAIN,
            (
                "dropglow.yaml:1:1: Adobe gives no token for these credentials: invalid client_secret parameter (HTTP 401, "
                "invalid_client); check client id and secret in Adobe's developer console"
            ),
        ),
        (("unauthorised=1",), PLAIN, "dropglow.yaml:1:1: Adobe does not accept the token"),
        (
            ("models_error=403",),
            custom("image4_custom", MUG),
            "dropglow.yaml:6:55: Adobe does not allow the question for custom models",
        ),
        (
            ("models_error=406",),
            custom("image4_custom", MUG),
            "dropglow.yaml:6:55: Adobe refused the question for custom models",
        ),
    ],
)
def test_what_adobe_does_not_let_us_do_is_a_fault(
    bench: Bench, faults: tuple[str, ...], text: str, line: str
) -> None:
    """Nobody but a person can mend credentials, an account, or what it may use."""
    result = bench.run(text, "check", "--online", faults=faults)

    assert 78 == result.exit_code
    assert 1 == len(bench.lines(result))
    assert bench.lines(result)[0].startswith(line)


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("user_non_entitled", "2:6: Adobe does not allow the question how the job stands: user_non_entitled"),
        (
            "user_profile_denied",
            "2:6: Adobe does not allow the question how the job stands: user_profile_denied",
        ),
        (
            "invalid_ims_scope",
            "2:15: Adobe does not allow the question how the job stands: invalid_ims_scope",
        ),
    ],
)
def test_an_account_that_may_not_use_firefly_is_a_fault(bench: Bench, word: str, line: str) -> None:
    """Adobe's own word is there, with what to do about it; a matter of scopes is told at the scopes."""
    text = f"api: {{scopes: [openid]}}\n{PLAIN}"
    with denying(word) as address:
        result = bench.run(text, "check", "--online", DROPGLOW_API_URL=address)

    assert 78 == result.exit_code
    assert bench.lines(result)[0].startswith(f"dropglow.yaml:{line} (HTTP 403); ")


def test_a_quota_that_is_used_up_is_no_fault(bench: Bench) -> None:
    """It comes back by itself, or somebody buys more; nothing in the files is wrong."""
    with denying("quota_exhausted") as address:
        result = bench.run(PLAIN, "check", "--online", DROPGLOW_API_URL=address)

    assert 75 == result.exit_code
    assert "quota" in result.stderr


def test_credentials_that_are_missing_are_a_fault(bench: Bench) -> None:
    """The line says where they may be."""
    result = bench.run(PLAIN, "check", "--online", FIREFLY_SERVICES_CLIENT_ID="")

    assert 78 == result.exit_code
    assert "there is no client id for Adobe; give both" in bench.lines(result)[0]


def test_an_address_that_is_not_adobe_s_is_a_fault(bench: Bench) -> None:
    """A web server that knows no jobs is not asked about models."""
    result = bench.run(PLAIN, "check", "--online", DROPGLOW_API_URL=f"{bench.address}/elsewhere")

    assert 78 == result.exit_code
    assert "/elsewhere does not answer like Firefly's API (HTTP 404)" in bench.lines(result)[0]


@pytest.mark.parametrize("faults", [("token_500=1",), ("models_error=503",)])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_trouble_at_adobe_s_side_is_no_fault(
    bench: Bench, faults: tuple[str, ...], options: tuple[str, ...]
) -> None:
    """It is said as such, and the exit code says to try again later."""
    result = bench.run(custom("image4_custom", MUG), "check", "--online", *options, faults=faults)

    assert 75 == result.exit_code
    assert "try again later" in result.output
    assert not options or json.loads(result.stdout)["error"]


def test_nobody_at_the_address_is_no_fault(bench: Bench) -> None:
    """A network that is down is not the configuration's."""
    nowhere = "http://127.0.0.1:1"
    result = bench.run(
        PLAIN, "check", "--online", DROPGLOW_API_URL=nowhere, DROPGLOW_TOKEN_URL=f"{nowhere}/ims"
    )

    assert 75 == result.exit_code
    assert "cannot reach Adobe" in result.stderr


def test_a_program_reads_what_adobe_says(bench: Bench) -> None:
    """With --json the account and each custom model of a rule are facts."""
    document = json.loads(bench.run(custom("image3_custom", INK), "check", "--online", "--json").stdout)

    assert document["ok"]
    assert document["online"] == {
        "api": bench.address,
        "custom_models": [
            {
                "rule": "mugs",
                "id": INK,
                "name": "Ink and Wash",
                "base_model": "Firefly Image 3",
                "training_mode": "style",
                "state": "published",
            }
        ],
    }


def test_a_program_reads_faults_of_the_account(bench: Bench) -> None:
    """They have the shape of every other fault."""
    result = bench.run(custom("image4_custom", INK), "check", "--online", "--json")

    document: dict[str, Any] = json.loads(result.stdout)
    assert (78, False, None) == (result.exit_code, document["ok"], document["online"])
    assert (6, 23) == (document["faults"][0]["line"], document["faults"][0]["column"])


def test_models_are_listed_with_the_rules_that_use_them(bench: Bench) -> None:
    """Every model has a line, also what is not published, by name."""
    result = bench.run(custom("image4_custom", MUG), "models")

    head, *lines = bench.lines(result)
    assert 0 == result.exit_code
    assert "CUSTOM_MODEL_ID" in head
    assert ["Harbour Ferry", "Ink and Wash", "Northwind Mug", "Winter Campaign"] == [
        line.partition("  ")[0] for line in lines
    ]
    assert [False, False, True, False] == ["mugs" in line for line in lines]


def test_a_model_that_only_a_rule_knows_is_said(bench: Bench) -> None:
    """Below the table, with the rule's name."""
    result = bench.run(custom("image4_custom", "mug"), "models")

    assert "mugs: Adobe knows no custom model mug" == bench.lines(result)[-1]


def test_an_account_without_models_is_said(bench: Bench) -> None:
    """An empty table would look like a fault."""
    result = bench.run(PLAIN, "models", faults=("no_models=1",))

    assert (0, ["This account has no custom models."]) == (result.exit_code, bench.lines(result))


def test_a_program_reads_models(bench: Bench) -> None:
    """With --json one document has every fact, the rules, and what is missing."""
    document = json.loads(bench.run(custom("image4_custom", MUG), "models", "--json").stdout)

    assert {"api", "models", "missing"} == set(document)
    assert (bench.address, [], 4) == (document["api"], document["missing"], len(document["models"]))
    assert {
        "id": MUG,
        "name": "Northwind Mug",
        "asset_name": "northwind-mug",
        "version": "1",
        "base_model": "Firefly Image 4",
        "base_version": "4.0",
        "training_mode": "subject",
        "concept_id": "northwind mug",
        "sample_prompt": "northwind mug on a wooden table",
        "state": "published",
        "created_at": "2026-02-03T09:15:00Z",
        "modified_at": "2026-09-14T16:02:11Z",
        "rules": ["mugs"],
    } == document["models"][2]


def test_models_of_the_sandbox_need_no_credentials(bench: Bench) -> None:
    """For a first look there is a pretend Adobe inside."""
    result = bench.run(PLAIN, "models", "--sandbox", FIREFLY_SERVICES_CLIENT_ID="")

    assert (0, 5) == (result.exit_code, len(bench.lines(result)))
    assert {} == bench.world.books()["requests"]


@pytest.mark.parametrize(
    ("faults", "exit_code"),
    [
        (("token_401=1",), 78),
        (("models_error=403",), 78),
        (("models_error=503",), 75),
        (("token_500=1",), 75),
    ],
)
def test_models_that_cannot_be_listed_are_told_in_words(
    bench: Bench, faults: tuple[str, ...], exit_code: int
) -> None:
    """What a person has to mend is told from what time mends."""
    result = bench.run(PLAIN, "models", faults=faults)

    assert exit_code == result.exit_code
    assert "Error: Adobe" in result.stderr
