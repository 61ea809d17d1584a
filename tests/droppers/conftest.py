"""One service for all droppers, its inboxes, and the files that are dropped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the bed is plain modules beside the tests

from tests.droppers import bed, equipment
from tests.droppers.droppers import DROPPERS
from tests.droppers.mounts import MOUNTS


@pytest.fixture(scope="session")
def equipped(pytestconfig: pytest.Config) -> None:
    """Install what is missing, if that was asked for, and say so."""
    if equipment.can_install():
        needs = [*(one.needs for one in DROPPERS.values()), *(one.needs for one in MOUNTS.values())]
        told = equipment.install(name for each in needs for name in each)
        capture = pytestconfig.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{told}")


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[bed.Source]:
    """Return the pictures that go through each dropper."""
    return bed.sources(tmp_path_factory.mktemp("sources"), equipment.files_each())


@pytest.fixture(scope="session")
def adobe() -> Iterator[bed.Adobe]:
    """Return a pretend Adobe whose jobs take no time."""
    one = bed.Adobe("duration=0")
    yield one
    one.stop()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, adobe: bed.Adobe) -> Iterator[bed.Site]:
    """Return a running service with an inbox for each dropper."""
    settle, rescan = ("2s", "30s") if equipment.thorough() else ("1s", "5s")
    folder = tmp_path_factory.mktemp("site")
    one = bed.Site(folder, adobe.url, inboxes=DROPPERS, settle=settle, rescan=rescan)
    try:
        one.start()
        yield one
        assert one.stop() == 0
    finally:
        one.kill()


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., bed.Site]]:
    """Return a maker of one site, whose jobs never end: what it does not claim stays in its inbox."""
    adobe = bed.Adobe("never=1")
    made: list[bed.Site] = []

    def make(**settings: str) -> bed.Site:
        made.append(
            bed.Site(
                tmp_path / "site", adobe.url, inboxes=["many"], what=bed.PROMPTS, in_flight=8, **settings
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.kill()
    adobe.stop()
