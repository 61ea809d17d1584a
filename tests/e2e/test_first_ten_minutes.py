"""``tests/first_ten_minutes.md`` and ``tests/installed.md`` are what a newcomer sees: the same words get the same answers.

Run as a script, it types them and writes the answers into the page.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PAGE: Final = Path(__file__).parents[1] / "first_ten_minutes.md"
AS_ROOT: Final = PAGE.with_name("installed.md")
TOOLS: Final = ("systemd-sysusers", "journalctl", "systemctl")
LIMIT_S: Final = 120.0
PROGRAM: Final = "/opt/dropglow/bin"
HOME: Final = "/home/you/photos"  # as long as the name of a temporary folder, so that columns stay columns
PORT: Final = "8787"
BLOCK: Final = re.compile(r"```console\n(.*?)```|<!-- until: (.*?) -->|<!-- (stop) -->", re.DOTALL)
CONFIGURATION: Final = """\
state: ./state
rules: rules/*.yaml
limits: {requests_per_minute: off}    # the pretend Adobe does not mind
"""
RULES: Final = """\
rules:
  - name: social-sizes
    inbox: ../inbox/photos
    outbox: ../outbox/photos
    match: {kind: image, name: ["*.jpg", "*.png"]}
    expand: {size: 2500x2500}
"""
# What differs from run to run, and what stands for it. Widths of columns follow from it.
VARIABLE: Final = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( UTC|\+00:00|Z)?", "TIME"),
    (r"\d{4}-\d\d(-\d\d)?", "DAY"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"urn:ff:jobs:\w+:", "URN:"),
    (r"\b[0-9][0-9a-hjkmnp-tv-z]{9}\b", "ID"),
    (r"_\d{4,10}\b(?=\.)", "_SEED"),
    (r'"seeds": \[[^\]]*\]', "SEEDS"),
    (r"\b(\d+[smhd] ago|now|in \d+[smhd])\b", "AGE"),
    (r"\bpid \d+", "PID"),
    (r"\bversion [\w.]+", "VERSION"),
    (r"\b\d+\.\d+ s\b", "SECONDS"),
    (r"[\d.,]+ ([KMGT]B|GiB|[kMGT]?bytes)\b", "SIZE"),
    (r"\d+ in the last minute", "SOME in the last minute"),
    (r" {2,}", "  "),
)


class Newcomer:
    """Somebody in an empty folder, with a photo, who types what the page says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._running: list[subprocess.Popen[bytes]] = []
        self._environ = {
            **os.environ,
            "PATH": f"{folder / '.bin'}:{os.environ['PATH']}",
            "TZ": "UTC",
            "HOME": str(folder),
        }
        (folder / ".bin").mkdir()
        (folder / ".bin" / "dropglow").write_text(f'#!/bin/sh\nexec {sys.executable} -m dropglow "$@"\n')
        (folder / ".bin" / "dropglow").chmod(0o755)
        (folder / "rules").mkdir()
        (folder / "dropglow.yaml").write_text(CONFIGURATION)
        (folder / "rules" / "social.yaml").write_text(RULES)
        Image.new("RGB", (600, 400), (90, 120, 200)).save(folder / "beach.jpg")

    def live_through(self, page: str) -> str:
        """Return *page* with every answer as it is now."""
        try:
            return BLOCK.sub(self._happens, page)
        finally:
            for process in self._running:
                process.kill()
                process.wait()

    def _happens(self, found: re.Match[str]) -> str:
        commands, condition, stop = found.groups()
        if condition:
            self._until(condition)
        elif stop:
            self._stop()
        else:
            return f"```console\n{''.join(self._typed(commands))}```"
        return found[0]

    def _typed(self, block: str) -> Iterator[str]:
        for line in block.splitlines():
            if line.startswith("$ "):
                yield f"{line}\n"
                yield self._answer(line.removeprefix("$ ").replace(PORT, self._port))

    def _answer(self, command: str) -> str:
        if command.startswith("export "):
            words = command.split()[1:]
            self._environ |= dict(word.split("=", 1) for word in words)
            return ""
        if command.endswith(" &"):
            quiet = f"exec {command.removesuffix(' &')}"
            self._running.append(subprocess.Popen(["sh", "-c", quiet], cwd=self._folder, env=self._environ))
            return ""
        told = subprocess.run(
            ["sh", "-c", f"{command} 2>&1"], cwd=self._folder, env=self._environ, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=LIMIT_S,
        )  # fmt: skip
        answer = told.stdout.replace(str(self._folder), HOME).replace(self._port, PORT)
        return answer.replace(str(Path(sys.executable).parent), PROGRAM)

    def _until(self, condition: str) -> None:
        deadline_s = time.monotonic() + LIMIT_S
        while subprocess.run(["sh", "-c", condition], cwd=self._folder).returncode:
            assert time.monotonic() < deadline_s, (condition, self._logged())
            time.sleep(0.1)

    def _stop(self) -> None:
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            assert 0 == process.wait(LIMIT_S), self._logged()

    def _logged(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("*.log")))


def _free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def normal(page: str) -> str:
    """Return *page* without what differs from run to run."""
    for pattern, word in VARIABLE:
        page = re.sub(pattern, word, page)
    return page


def test_the_page_is_what_a_newcomer_sees(tmp_path: Path) -> None:
    """Each command of the page gets the answer that stands there."""
    compare(PAGE, tmp_path)


def test_installing_and_undoing_it_is_as_the_page_says(tmp_path: Path) -> None:
    """In the system of an image, which does not run; ``test_real_systemd.py`` does the same in one that does."""
    if os.geteuid():
        pytest.skip("only root installs")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"not on this machine: {', '.join(missing)}")

    compare(AS_ROOT, tmp_path)


def compare(path: Path, folder: Path) -> None:
    """Fail unless a newcomer in *folder* is answered as the page says."""
    page = path.read_text(encoding="utf-8")
    assert normal(page).splitlines() == normal(Newcomer(folder).live_through(page)).splitlines(), (
        "is the new answer right? then: python tests/e2e/test_first_ten_minutes.py"
    )


def test_what_is_not_compared_is_little() -> None:
    """An answer that says something else is noticed."""
    assert normal("1 delivered, pid 12, 3s ago") != normal("2 delivered, pid 12, 3s ago")
    assert normal("drop 1sejspx2jj now") == normal("drop 1sejsq0000 3s ago")


def make_again(path: Path) -> None:
    """Write the answers of today into a page."""
    with tempfile.TemporaryDirectory() as folder:
        page = path.read_text(encoding="utf-8")
        path.write_text(Newcomer(Path(folder)).live_through(page), encoding="utf-8")


if __name__ == "__main__":
    for each in (PAGE, AS_ROOT)[: 1 if os.geteuid() else 2]:
        make_again(each)
