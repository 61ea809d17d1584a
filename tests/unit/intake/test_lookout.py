"""Looking at places without waiting long for those that do not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dropglow.intake.lookout import Lookout
from dropglow.rules.places import Place, look


class DeadServer:
    """A disk on which one folder never answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.end = threading.Event()

    def __call__(self, path: str, *, progress: Callable[[str], object]) -> Place:
        self.asked.append(path)
        progress(path.replace("/link/", "/dead/"))
        if "/dead" in path or "/link" in path:
            self.end.wait()
        return look(path, progress=progress)


@pytest.fixture
def server() -> Iterator[DeadServer]:
    one = DeadServer()
    yield one
    one.end.set()


def test_what_answers_is_looked_at_once(tmp_path: Path, server: DeadServer) -> None:
    """Many rules name the same folders."""
    lookout = Lookout(ask=server)

    first, second = lookout(str(tmp_path)), lookout(str(tmp_path))

    assert first is second
    assert (look(str(tmp_path)), [str(tmp_path)]) == (first, server.asked)


def test_what_does_not_answer_is_silent(server: DeadServer) -> None:
    """It is known by the name behind the links that were read until then."""
    place = Lookout(patience_s=0.01, ask=server)("/link/in")

    assert (True, "/dead/in", "/link/in") == (place.silent, place.real, place.path)
    assert "does not answer" in place.error


def test_what_lies_on_a_silent_mount_is_not_asked(server: DeadServer) -> None:
    """A hundred folders of one dead share are waited for once."""
    lookout = Lookout(patience_s=0.01, ask=server)

    silent = [lookout(f"/proc/dead/{number}").silent for number in range(100)]

    assert all(silent)
    assert ["/proc/dead/0"] == server.asked


def test_what_is_known_to_be_silent_is_not_asked_again(server: DeadServer) -> None:
    """A command that read the configuration has waited enough."""
    lookout = Lookout(silent=["/proc/dead/in", "/"], ask=server)

    assert lookout("/proc/dead/in/fox.txt").silent
    assert not lookout("/").silent
    assert ["/"] == server.asked
