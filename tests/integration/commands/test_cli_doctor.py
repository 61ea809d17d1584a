"""``dropglow doctor``: what it looks at, what it says of it, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import shlex
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.cli.adobe_findings import clock
from dropglow.cli.findings import Grade
from dropglow.cli.machine_findings import watches
from dropglow.model import JobKey

if TYPE_CHECKING:
    from click.testing import Result

    from tests.integration.commands.conftest import Bench, Desk

RULE = "rules:\n  - {name: art, inbox: in, outbox: out, generate: {size: 2048x2048}}\n"


def findings(result: Result) -> dict[str, dict[str, Any]]:
    """Return what was found, by subject."""
    return {each["subject"]: each for each in json.loads(result.stdout)["findings"]}


def tree(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_a_sound_house_has_nothing_to_do(bench: Bench) -> None:
    """Everything is looked at and fine; nothing was bought, made or left."""
    before = tree(bench.folder)

    result = bench.run(RULE, "doctor", "--json")

    assert 0 == result.exit_code
    found = findings(result)
    assert {
        "configuration",
        "credentials",
        "state",
        "inbox",
        "outbox",
        "inotify",
        "Adobe",
        "clock",
    } <= found.keys()
    assert {"fine"} == {each["grade"] for each in found.values()}
    assert not bench.world.books()["accepted"]
    assert not bench.world.books()["uploads"]
    assert {bench.folder / "dropglow.yaml"} == tree(bench.folder) - before


def test_a_person_reads_lines(bench: Bench) -> None:
    """A line for each thing, and a verdict at the end."""
    result = bench.run(RULE, "doctor")

    assert result.stdout.startswith("configuration   ok: ")
    assert result.stdout.endswith("\nNothing must be done.\n")


def test_missing_credentials_are_told_without_a_network(bench: Bench) -> None:
    """``--offline`` asks nobody, and still knows that there is no secret."""
    result = bench.run(RULE, "doctor", "--offline", "--json", FIREFLY_SERVICES_CLIENT_SECRET="")

    assert 1 == result.exit_code
    found = findings(result)
    assert "there is no client secret for Adobe" == found["credentials"]["what"]
    assert "FIREFLY_SERVICES_CLIENT_SECRET" in found["credentials"]["todo"]
    assert "Adobe" not in found


def test_credentials_that_adobe_refuses_are_told(bench: Bench) -> None:
    """The token is really fetched."""
    result = bench.run(RULE, "doctor", "--json", faults=("token_401=1",))

    assert 1 == result.exit_code
    assert "wrong" == findings(result)["Adobe"]["grade"]


def test_the_place_of_credentials_is_told_and_not_they(bench: Bench) -> None:
    """Two files are named by their variables; their content does not show."""
    secret = bench.folder / "secret.txt"
    secret.write_text("canary-from-a-file")

    result = bench.run(RULE, "doctor", "--offline", "--json", FIREFLY_SERVICES_CLIENT_SECRET_FILE=str(secret))

    assert (
        "client id and secret are read from FIREFLY_SERVICES_CLIENT_ID and "
        "the file that FIREFLY_SERVICES_CLIENT_SECRET_FILE names"
    ) == findings(result)["credentials"]["what"]


def test_an_outbox_under_a_file_is_wrong(bench: Bench) -> None:
    """A folder that cannot be made is told with what to do; the rest is looked at all the same."""
    (bench.folder / "out").rmdir()

    result = bench.run(
        RULE.replace("outbox: out", "outbox: /nowhere/at/all"), "doctor", "--offline", "--json"
    )

    assert 1 == result.exit_code
    found = findings(result)
    assert "/nowhere/at/all does not exist, and neither does the folder it is in" == found["outbox"]["what"]
    assert "fine" == found["inbox"]["grade"]


def test_what_is_made_at_the_start_is_no_fault(bench: Bench) -> None:
    """A folder beside the configuration is made by the service."""
    for name in ("in", "out"):
        (bench.folder / name).rmdir()

    found = findings(bench.run(RULE, "doctor", "--offline", "--json"))

    assert ("fine", "fine") == (found["inbox"]["grade"], found["outbox"]["grade"])
    assert not (bench.folder / "in").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_inbox_without_the_right_to_write_is_wrong(bench: Bench) -> None:
    """Files in it could never be taken."""
    (bench.folder / "in").chmod(0o500)

    assert "wrong" == findings(bench.run(RULE, "doctor", "--offline", "--json"))["inbox"]["grade"]


def test_faults_of_the_configuration_are_counted(bench: Bench) -> None:
    """The rest is looked at as far as it can be read."""
    result = bench.run(RULE + "colour: red\n", "doctor", "--offline", "--json")

    assert 1 == result.exit_code
    found = findings(result)
    assert found["configuration"]["what"].startswith("1 fault in ")
    assert "dropglow check" == found["configuration"]["todo"]


def damage_ledger(desk: Desk) -> None:
    """Write over all pages of the ledger but the first."""
    desk.drop("d1", "delivered")
    ledger = desk.state / "ledger.sqlite3"
    content = bytearray(ledger.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    ledger.write_bytes(content)


def test_a_damaged_ledger_is_told(desk: Desk) -> None:
    """Every page is read."""
    damage_ledger(desk)

    result = desk.run("doctor", "--offline", "--json")

    assert 1 == result.exit_code
    assert "is damaged" in findings(result)["ledger"]["what"]


def test_a_damaged_ledger_s_latest_copy_is_named(desk: Desk) -> None:
    """Whoever has to put a copy in its place need not look for it."""
    damage_ledger(desk)
    (desk.state / "backups").mkdir()
    for day in ("02", "03"):
        (desk.state / "backups" / f"ledger-2026-11-{day}.sqlite3").touch()

    result = desk.run("doctor", "--offline", "--json")

    assert "backups/ledger-2026-11-03.sqlite3" in findings(result)["ledger"]["todo"]


@pytest.mark.parametrize("command", ["costs", "jobs"])
def test_who_asks_a_damaged_ledger_hears_that_it_is(desk: Desk, command: str) -> None:
    """It is no matter of another try, nor of the disk's room: it is said where to read on."""
    damage_ledger(desk)

    result = desk.run(command)

    assert "the ledger is damaged" in result.stderr
    assert "dropglow doctor" in result.stderr


def test_a_sound_ledger_is_told(desk: Desk) -> None:
    """A service may be at work on it meanwhile."""
    desk.drop("d1", "delivered")

    assert "fine" == findings(desk.run("doctor", "--offline", "--json"))["ledger"]["grade"]


def test_orders_in_doubt_are_listed_with_what_finds_them(desk: Desk) -> None:
    """What was sent, where, when and by which id; and what is known stands there, too."""
    desk.drop("d1", "in doubt")
    job = desk.look(lambda reader: reader.job(JobKey("d1.1")))

    result = desk.run("doctor", "--offline")

    assert 1 == result.exit_code
    assert "job d1.1 of beach.jpg" in result.stdout
    assert "the connection was cut" in result.stdout
    for name, fact in (
        ("request", "POST https://firefly-api.adobe.io/v3/images/expand-async"),
        ("sent", f"{job.begun_at:%Y-%m-%d %H:%M:%S} UTC, or within two minutes after that"),
        ("x-request-id", job.request_id),
        ("seeds", "41"),
        ("prompt", "a calm sea"),
    ):
        assert f"  {name:<16}{fact}" in result.stdout


def test_each_way_out_of_a_doubt_is_ready_to_be_pasted(desk: Desk) -> None:
    """One of the three is true; each is a command that this program has, for this configuration."""
    desk.drop("d1", "in doubt")

    told = desk.run("doctor", "--offline").stdout
    pasted = [line.split("-> ")[1] for line in told.splitlines() if "-> dropglow --config" in line]

    start = f"dropglow --config {shlex.quote(str(desk.folder))} resolve d1.1"
    assert [f"{start} --job-id URN", f"{start} --resubmit", f"{start} --abandon"] == pasted
    assert 0 == desk.run(*shlex.split(pasted[2])[3:]).exit_code


def test_what_adobe_took_about_the_same_time_is_told(desk: Desk) -> None:
    """Its job ids lie next to the one that is looked for; what is farther away, or was not taken, is no help."""
    for key, stage, minutes in (
        ("d1", "delivered", 60), ("d2", "delivered", 9), ("d3", "running", 8), ("d4", "in doubt", 7), ("d5", "queued", 6),
        ("d6", "running", 5), ("d7", "running", 4),
    ):  # fmt: skip
        desk.drop(key, stage, age=timedelta(minutes=minutes))

    result = desk.run("doctor", "--offline")

    near = [line.split()[3] for line in result.stdout.splitlines() if line.startswith("  near it")]
    assert ["d3.1", "d6.1"] == near
    assert "accepted 60 s before it was sent, as urn:d3.1" in result.stdout


def test_a_program_reads_of_an_order_in_doubt_the_same(desk: Desk) -> None:
    """What to look for, and what to say then."""
    desk.drop("d1", "running", age=timedelta(minutes=6))
    desk.drop("d2", "in doubt")

    (doubt,) = json.loads(desk.run("doctor", "--offline", "--json").stdout)["in_doubt"]

    assert ("d2.1", "in_doubt") == (doubt["job"], doubt["stage"])
    assert "POST https://firefly-api.adobe.io/v3/images/expand-async" == doubt["search"]["request"]
    assert 32 == len(doubt["search"]["request_id"])
    assert [("d1.1", "urn:d1.1")] == [(each["job"], each["job_id"]) for each in doubt["search"]["near"]]
    assert {"there", "not_there", "unknown"} == doubt["commands"].keys()


def test_an_unused_proxy_is_worth_a_word(bench: Bench) -> None:
    """Who sets a proxy expects it to be used."""
    found = findings(bench.run(RULE, "doctor", "--offline", "--json", HTTPS_PROXY="http://proxy:3128"))

    assert "advice" == found["proxy"]["grade"]


@pytest.mark.parametrize(
    ("ahead", "grade", "words"),
    [
        (timedelta(seconds=59), Grade.FINE, "agree on the time"),
        (timedelta(minutes=5), Grade.ADVICE, "5m ahead of Adobe's"),
        (timedelta(hours=-2), Grade.ADVICE, "2h behind Adobe's"),
    ],
)
def test_a_clock_that_is_off_is_told(ahead: timedelta, grade: Grade, words: str) -> None:
    """Up to a minute is nothing."""
    found = clock(ahead)

    assert grade is found.grade
    assert words in found.what


def test_folders_below_an_inbox_are_counted(tmp_path: Path) -> None:
    """Each needs a watch of the kernel's."""
    (tmp_path / "a" / "b").mkdir(parents=True)

    assert watches([str(tmp_path)]).what.startswith("3 folders to watch")


def test_without_a_configuration_there_is_nothing_to_look_at(desk: Desk) -> None:
    """It ends as every command does."""
    (desk.folder / "dropglow.yaml").unlink()

    assert 78 == desk.run("doctor").exit_code


KEEPING = "rules:\n  - {name: art, inbox: in, outbox: out, done: keep, generate: {size: 2048x2048}}\n"


def test_an_inbox_that_is_only_read_is_not_tried(bench: Bench) -> None:
    """Nothing is written into it, not even where an earlier life has left a hidden folder."""
    hidden = bench.folder / "in" / ".dropglow"
    hidden.mkdir(parents=True)
    before = hidden.stat().st_mtime_ns

    result = bench.run(KEEPING, "doctor", "--json")

    assert "is only read, and watched" in findings(result)["inbox"]["what"]
    assert before == hidden.stat().st_mtime_ns


def test_a_missing_inbox_that_is_only_read_is_a_fault(bench: Bench) -> None:
    """Nobody makes it: it is somebody else's, and may not be mounted."""
    (bench.folder / "in").rmdir()

    result = bench.run(KEEPING, "doctor", "--json")

    found = findings(result)["inbox"]
    assert ("wrong", True) == (found["grade"], "it is not made" in found["what"])
