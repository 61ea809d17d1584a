"""The journal's native fields, as they arrive at its socket."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Final

import pytest
import structlog

from dropglow import vocabulary
from dropglow.ops.journal import Native, is_the_journal
from dropglow.ops.logging import set_up
from dropglow.ops.message_ids import MESSAGE_IDS

ROOT: Final = Path(__file__).resolve().parents[2]
CATALOG: Final = ROOT / "systemd" / "dropglow.catalog"
SEALED: Final = 0xF

Entry = dict[str, list[str]]


class Journald:
    """A journal's socket, and the entries that came."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "journal.socket")
        self.seals: list[int] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)

    def entries(self) -> list[Entry]:
        found = []
        try:
            while True:
                found.append(decoded(self._received()))
        except BlockingIOError:
            return found

    def _received(self) -> bytes:
        data, files, _, _ = socket.recv_fds(self._socket, 1 << 20, 1)
        if not files:
            return data
        import fcntl

        self.seals.append(fcntl.fcntl(files[0], fcntl.F_GET_SEALS))
        with os.fdopen(files[0], "rb") as file:
            file.seek(0)
            return file.read()

    def close(self) -> None:
        self._socket.close()


def decoded(data: bytes) -> Entry:
    """Return an entry as the journal's document says how to read it."""
    entry: Entry = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, is_simple, value = line.partition(b"=")
        if not is_simple:
            (length,) = struct.unpack("<Q", data[:8])
            value, data = data[8 : 8 + length], data[8 + length + 1 :]
        entry.setdefault(name.decode("ascii"), []).append(value.decode())
    return entry


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    """Return a journal that listens."""
    journald = Journald(tmp_path)
    yield journald
    journald.close()


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[io.TextIOWrapper]:
    """Return what stands for standard error."""
    with (tmp_path / "stderr").open("w+") as stream:
        yield stream


def is_connected_to(stream: io.TextIOWrapper) -> dict[str, str]:
    found = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}


@pytest.fixture
def log(journald: Journald, stream: io.TextIOWrapper) -> Iterator[Callable[[], structlog.stdlib.BoundLogger]]:
    """Log to the journal, and leave logging as it was."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    set_up(stream=stream, environ=is_connected_to(stream), send=Native(journald.path))
    yield lambda: structlog.stdlib.get_logger("dropglow")
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


Log = Callable[[], structlog.stdlib.BoundLogger]


def test_an_event_is_an_entry_with_fields(log: Log, journald: Journald, stream: io.TextIOWrapper) -> None:
    """One can ask for all entries of a job, a drop, a rule or a source; nothing goes to standard error."""
    log().error(
        vocabulary.JOB_FAILED,
        job="k1.1",
        drop="k1",
        job_id="urn:ff:1",
        rule="sizes",
        source="beach.jpg",
        reason="it was refused",
        billed="no",
        attempts=3,
    )

    (entry,) = journald.entries()
    named = ["JOB_ID", "DROP_ID", "UPSTREAM_JOB_ID", "RULE", "SOURCE", "PRIORITY", "SYSLOG_IDENTIFIER"]
    assert ["k1.1", "k1", "urn:ff:1", "sizes", "beach.jpg", "3", "dropglow"] == [
        entry[name][0] for name in named
    ]
    assert [MESSAGE_IDS["job.failed"]] == entry["MESSAGE_ID"]
    assert ["job.failed", "3"] == [entry[name][0] for name in ("DROPGLOW_EVENT", "DROPGLOW_ATTEMPTS")]
    facts = "job=k1.1 drop=k1 job_id=urn:ff:1 rule=sizes source=beach.jpg billed=no attempts=3"
    assert [f"job.failed: it was refused {facts}"] == entry["MESSAGE"]
    assert ("test_journal.py", "test_an_event_is_an_entry_with_fields") == (
        Path(entry["CODE_FILE"][0]).name,
        entry["CODE_FUNC"][0],
    )
    stream.seek(0)
    assert not stream.read()


@pytest.mark.parametrize(
    ("level", "priority"),
    [("debug", None), ("info", "6"), ("warning", "4"), ("error", "3"), ("critical", "2")],
)
def test_a_level_is_a_priority(log: Log, journald: Journald, level: str, priority: str | None) -> None:
    """``journalctl -p warning`` shows what needs somebody."""
    getattr(log(), level)("service.note", note="well")

    assert ([] if priority is None else [[priority]]) == [each["PRIORITY"] for each in journald.entries()]


def test_lists_are_several_fields_and_nothing_is_none(log: Log, journald: Journald) -> None:
    """Each path can be asked for; what is not known yet has no field."""
    log().info("result.delivered", job="k1.1", job_id=None, path=["/a.jpg", "/b.jpg"])

    (entry,) = journald.entries()
    assert ["/a.jpg", "/b.jpg"] == entry["DROPGLOW_PATH"]
    assert "UPSTREAM_JOB_ID" not in entry


def test_every_name_is_one_that_the_journal_takes(log: Log, journald: Journald) -> None:
    """Other names are dropped by it without a word."""
    log().info("service.note", **{"took-s": 1, "ümlaut": 2, "x" * 100: 3})

    (entry,) = journald.entries()
    assert [] == [name for name in entry if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name)]
    assert 3 == len([name for name in entry if name.startswith("DROPGLOW_") and name != "DROPGLOW_EVENT"])


def test_text_of_several_lines_arrives_whole(log: Log, journald: Journald) -> None:
    """A line break in a file's name forges no field."""
    log().warning("inbox.trouble", source="a\nPRIORITY=0\nb", reason="odd")

    (entry,) = journald.entries()
    assert (["a\nPRIORITY=0\nb"], ["4"]) == (entry["SOURCE"], entry["PRIORITY"])
    assert "\n" not in entry["MESSAGE"][0]


def test_an_entry_that_is_too_long_for_a_datagram_comes_in_a_sealed_file(
    log: Log, journald: Journald
) -> None:
    """Four hundred kilobytes are no reason to lose an entry."""
    log().info("service.note", note="x" * 400_000)

    (entry,) = journald.entries()
    assert [400_000] == [len(each) for each in entry["DROPGLOW_NOTE"]]
    assert [SEALED] == journald.seals


def test_no_secret_comes_to_the_journal(log: Log, journald: Journald) -> None:
    """What is taken out of other logs is taken out here, of every field and of tracebacks."""
    secret = token_hex(8)

    def meet_a_fault(client_secret: str) -> None:
        raise ValueError(f"cannot use https://h/a?sig={client_secret}")

    try:
        meet_a_fault(secret)
    except ValueError as fault:
        log().critical("service.bug", job="k1.1", exc_info=fault, url=[f"https://h/b?token={secret}"])
    logging.getLogger("watchdog").warning("Authorization: Bearer %s", secret)

    entries = journald.entries()
    assert 2 == len(entries)
    assert secret not in json.dumps(entries)
    assert "meet_a_fault" in entries[0]["EXCEPTION_TEXT"][0]


def test_a_journal_that_is_gone_loses_nothing(
    log: Log, journald: Journald, capsys: pytest.CaptureFixture[str]
) -> None:
    """While it cannot be reached, lines go to standard error."""
    Path(journald.path).unlink()

    log().info("service.note", note="well")

    assert "well" == json.loads(capsys.readouterr().err)["note"]


def test_the_journal_is_known_by_its_stream(stream: io.TextIOWrapper) -> None:
    """A variable that was inherited does not count where standard error went elsewhere."""
    other = {"JOURNAL_STREAM": "1:2"}

    found = [is_the_journal(stream, environ) for environ in (is_connected_to(stream), other, {})]

    assert [True, False, False] == found
    assert not is_the_journal(io.StringIO(), other)


def test_the_folder_of_the_units_is_not_taken_for_a_library() -> None:
    """From the checkout `import systemd` finds a folder of units, which has no journal in it."""
    words = "import dropglow.ops.journal as journal; print(journal.sender('/nowhere'))"

    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True)

    assert (0, "") == (done.returncode, done.stderr)
    assert "Native" in done.stdout


def test_the_catalogue_explains_every_failure() -> None:
    """Each id has one entry with a subject and a text, and there are no others."""
    entries = re.findall(
        r"(?m)^-- (\w{32})\nSubject: .+\nDefined-By: Dropglow\n\n(?=\S)", CATALOG.read_text(encoding="utf-8")
    )

    assert sorted(MESSAGE_IDS.values()) == sorted(entries)
    assert len(MESSAGE_IDS) == len(set(MESSAGE_IDS.values()))


def test_the_catalogue_names_fields_that_there_are() -> None:
    """A field in a text is one of those that the events carry."""
    source = (ROOT / "daemon" / "dropglow" / "vocabulary.py").read_text(encoding="utf-8")
    carried = {name.upper() for name in re.findall(r"\w+", source)}
    named = set(re.findall(r"@(\w+)@", CATALOG.read_text(encoding="utf-8")))

    known = {"JOB_ID", "UPSTREAM_JOB_ID", "DROP_ID", "RULE", "SOURCE"}
    assert set() == {name for name in named - known if name.removeprefix("DROPGLOW_") not in carried}


@pytest.mark.skipif(shutil.which("journalctl") is None, reason="journalctl is not installed")
def test_the_journal_takes_the_catalogue(tmp_path: Path) -> None:
    """It compiles, and knows every id afterwards."""
    for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(CATALOG, tmp_path / "usr/lib/systemd/catalog")
    root = f"--root={tmp_path}"

    done = subprocess.run(["journalctl", root, "--update-catalog"], capture_output=True, text=True)
    listed = subprocess.run(["journalctl", root, "--list-catalog"], capture_output=True, text=True)

    assert (0, "") == (done.returncode, done.stderr)
    assert set(MESSAGE_IDS.values()) == {line.split()[0] for line in listed.stdout.splitlines()}
