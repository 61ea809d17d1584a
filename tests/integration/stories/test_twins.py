"""Names that some systems take for one another, and one file under two names: each is a drop of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker

COMPOSED, DECOMPOSED = "caf\u00e9.jpg", "cafe\u0301.jpg"
LONG = "n" * 251


@pytest.mark.parametrize(
    "names",
    [
        (COMPOSED, DECOMPOSED),
        ("beach.jpg", "Beach.JPG"),
        (f"{LONG}.jpg", f"{LONG[:-1]}m.jpg"),
        (os.fsdecode(b"\xe9.jpg"), os.fsdecode(b"\xe8.jpg")),
        ("a\nb.jpg", "a\tb.jpg"),
    ],
    ids=["normal forms", "case", "255 bytes", "no UTF-8", "control characters"],
)
async def test_twins_come_back_each_on_its_own(make_daemon: DaemonMaker, names: tuple[str, str]) -> None:
    """Nothing is replaced, in the outbox or in the archive, though the results' names may be the same."""
    daemon = make_daemon()
    for shade, name in zip((20, 200), names, strict=True):
        daemon.photo(name, shade=shade)
    content = {(daemon.photos / name).read_bytes() for name in names}

    await daemon.run_once()

    done = daemon.photos / "_done"
    assert set(names) == {path.name for path in done.iterdir()}
    assert content == {path.read_bytes() for path in done.iterdir()}
    assert 4 == len(daemon.results()) == daemon.books()["accepted"]
    assert all(name.isprintable() for name in daemon.results())


async def test_a_file_with_a_second_name_elsewhere_is_taken_and_left_alone_there(
    make_daemon: DaemonMaker,
) -> None:
    """A hard link is how some programs deliver; moving one name does nothing to the other."""
    daemon = make_daemon()
    elsewhere = daemon.folder / "library" / "beach.jpg"
    elsewhere.parent.mkdir()
    Image.new("RGB", (240, 160), (9, 120, 200)).save(elsewhere)
    before = elsewhere.read_bytes()
    os.link(elsewhere, daemon.photos / "beach.jpg")

    await daemon.run_once()

    assert ["photos/_done/beach.jpg"] == daemon.inbox()
    assert before == elsewhere.read_bytes()
    assert 2 == len(daemon.results())


async def test_two_names_of_one_file_both_end_as_promised(make_daemon: DaemonMaker) -> None:
    """Neither is lost, and neither gets in the way of the other."""
    daemon = make_daemon()
    os.link(daemon.photo("one.jpg"), daemon.photos / "two.jpg")

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert ["photos/_done/one.jpg", "photos/_done/two.jpg"] == daemon.inbox()
