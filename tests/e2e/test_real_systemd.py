"""A real systemd and a real journald, in namespaces of their own, with the unit as it is shipped.

Skipped by name where that is impossible: it needs root, and a kernel that lets root
make namespaces and overlays.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPTS: Final = ROOT / "tests" / "e2e" / "systemd"
MANAGER: Final = Path("/lib/systemd/systemd")
BOOT_S: Final = 60.0
STORY_S: Final = 150.0
OVERLAY: Final = "mount -t tmpfs t {0} && mkdir {0}/u {0}/w {0}/r && mount -t overlay o -o lowerdir=/,upperdir={0}/u,workdir={0}/w {0}/r"


def obstacle(folder: Path) -> str:
    """Return why no systemd can be started here, or nothing."""
    if os.geteuid() != 0:
        return "only root may start a systemd of its own"
    if missing := [
        name for name in ("unshare", "pivot_root", "systemd-sysusers") if shutil.which(name) is None
    ]:
        return f"{', '.join(missing)} is not installed"
    if not MANAGER.exists():
        return "systemd is not installed"
    tried = folder / "tried"
    tried.mkdir()
    words = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", OVERLAY.format(tried)]
    done = subprocess.run(words, capture_output=True, text=True)
    return (
        f"this machine allows no namespaces with an overlay: {done.stderr.strip()}" if done.returncode else ""
    )


def free_port() -> int:
    """Return a port that nobody has, and that no client is given in the seconds until it is opened."""
    while True:
        port = secrets.choice(range(20_000, 32_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def boot(folder: Path) -> subprocess.Popen[bytes]:
    """Start the systemd; killing what is returned ends everything in it."""
    program = Path(sys.executable).resolve()
    words: list[str | Path] = [
        "unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--kill-child",
        "bash", SCRIPTS / "boot.sh", folder, ROOT, sys.base_prefix, program.relative_to(sys.base_prefix),
        Path(pytest.__file__).parents[1], str(free_port()), str(free_port()),
    ]  # fmt: skip
    with (folder / "out" / "boot").open("wb") as log:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def appears(path: Path, process: subprocess.Popen[bytes], *, within_s: float) -> bool:
    """Wait for a file that the story writes."""
    until_s = time.monotonic() + within_s
    while not path.exists() and process.poll() is None and time.monotonic() < until_s:
        time.sleep(0.1)
    return path.exists()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what a systemd told of the service, from its start to its stop."""
    folder = tmp_path_factory.mktemp("systemd")
    if reason := obstacle(folder):
        pytest.skip(reason)
    out = folder / "out"
    for made in (out, folder / "mnt"):
        made.mkdir()
    process = boot(folder)
    try:
        if not appears(out / "started", process, within_s=BOOT_S):
            pytest.skip(f"no systemd starts in namespaces here: {(out / 'boot').read_text()[-500:]}")
        assert appears(out / "finished", process, within_s=STORY_S), (out / "log").read_text()
        assert (out / "stopped").exists(), (out / "log").read_text()
    finally:
        process.kill()
        process.wait()
    return out


def unit(story: Path, moment: str) -> dict[str, str]:
    """Return the state of the unit at a moment of the story."""
    lines = (story / moment).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_it_gets_ready_and_has_no_rights(story: Path) -> None:
    """Started by systemd as a user of its own, with credentials, without capabilities, behind a filter."""
    rights = dict(line.split(":") for line in (story / "rights").read_text().splitlines())

    assert "active" == unit(story, "ready")["ActiveState"]
    assert ("0000000000000000", "1", "2") == tuple(
        rights[name].strip() for name in ("CapEff", "NoNewPrivs", "Seccomp")
    )
    assert "0" not in rights["Uid"].split()


def test_it_answers_on_the_socket_that_systemd_opened(story: Path) -> None:
    """Locked up as it is; and who stops the service stops the socket, which would start it again."""
    answer = (story / "health").read_text()

    assert answer.startswith("HTTP/1.1 200 OK")
    assert '{"ready": true, "reasons": []}' in answer
    assert ["inactive", "enabled"] == (story / "socket").read_text().split()


def test_a_killed_service_comes_back_and_resumes(story: Path) -> None:
    """After ``kill -9`` the job goes on by its id, and its result comes, once."""
    after = unit(story, "resumed")

    assert ("active", "1") == (after["ActiveState"], after["NRestarts"])
    assert 1 == len((story / "results").read_text().split())
    assert unit(story, "ready")["MainPID"] != after["MainPID"]


def test_a_reload_takes_rules_up_and_keeps_the_old_ones_of_a_broken_edit(story: Path) -> None:
    """Without a restart: the status line says what is in force."""
    broken, mended = unit(story, "broken"), unit(story, "mended")

    assert "has a fault, the old one is in force" in broken["StatusText"]
    assert mended["StatusText"].startswith("2 inboxes; ")
    assert unit(story, "resumed")["MainPID"] == broken["MainPID"] == mended["MainPID"]


def test_a_loop_that_stands_still_is_restarted_by_the_watchdog(story: Path) -> None:
    """The process is ended with a dump of where it stood, and comes back."""
    after = unit(story, "watched")

    assert ("active", "2") == (after["ActiveState"], after["NRestarts"])
    assert "Watchdog timeout" in (story / "journal").read_text(errors="replace")


def test_it_stops_in_order(story: Path) -> None:
    """SIGTERM is the end of a good life."""
    stopped = unit(story, "stopped")

    assert ("inactive", "success") == (stopped["ActiveState"], stopped["Result"])


def test_installed_by_the_command_and_uninstalled_by_it(story: Path) -> None:
    """With credentials it is started at once; what people made or dropped, and the ledger, stay."""
    told = {name: (story / name).read_text() for name in ("installed", "started-by", "uninstalled")}

    assert "  make the user dropglow, who cannot log in\n" in told["installed"]
    assert "start it now and with the machine: dropglow-http.socket, dropglow.service" in told["started-by"]
    assert "write" not in told["started-by"]
    assert "Note: the ledger stays, in /var/lib/dropglow" in told["uninstalled"]
    assert (
        "Note: /etc/dropglow/dropglow.yaml was changed since it was installed: it stays"
        in told["uninstalled"]
    )
    assert [
        "/etc/dropglow/credentials", "/etc/dropglow/dropglow.yaml", "/etc/dropglow/port", "/etc/dropglow/rules",
        "/srv/dropglow/inbox", "/srv/dropglow/outbox", "/srv/dropglow/posters", "/var/lib/dropglow",
    ] == (story / "left").read_text().split()  # fmt: skip


def test_the_journal_tells_one_job_s_story(story: Path) -> None:
    """``journalctl JOB_ID=…`` has all of it, over the restart; no entry holds a secret."""
    assert ["job.submitted", "job.succeeded", "result.delivered"] == (story / "story").read_text().split()
    assert "canary-secret" not in (story / "journal").read_text(errors="replace")
