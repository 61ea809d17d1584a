"""What one look at a path tells, and what lies inside what."""

from __future__ import annotations

import os
from pathlib import Path

from dropglow.rules.places import Place, device, lies_inside, look, silence


def test_a_path_is_told_without_its_links(tmp_path: Path) -> None:
    """However many there are, and wherever they lead, it is the path that the system would say."""
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "absolute").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "relative").symlink_to("../absolute/deep")
    for spelled in ("real", "absolute/relative", "absolute/missing/more", "absolute/deep", "."):
        path = os.path.normpath(tmp_path / spelled)

        assert os.path.realpath(path) == look(path).real


def test_a_circle_is_a_place_that_is_there_and_leads_nowhere(tmp_path: Path) -> None:
    """It is told like any other thing that cannot be used."""
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")

    place = look(str(tmp_path / "one"))

    assert (True, None, True) == (place.there, place.found, place.neighbours)
    assert place.error


def test_what_is_missing_is_on_the_device_of_what_is_above(tmp_path: Path) -> None:
    """It would be made there."""
    place = look(str(tmp_path / "missing" / "more"))

    assert (False, None, False) == (place.there, place.found, place.neighbours)
    assert "No such file or directory" == place.error
    assert tmp_path.stat().st_dev == device(place)


def test_progress_tells_the_way(tmp_path: Path) -> None:
    """Whoever stops waiting knows the name that the folder has behind the links that were read."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    told: list[str] = []

    look(str(tmp_path / "link" / "below"), progress=told.append)

    assert str(tmp_path / "link" / "below") == told[0]
    assert str(tmp_path / "real" / "below") == told[-1]


def test_of_what_is_silent_only_the_name_tells(tmp_path: Path) -> None:
    """It is neither missing nor there, and has no device."""
    dead = str(tmp_path / "dead")
    place = silence(dead, real=dead)

    def seen(path: str) -> Place:
        return silence(path, real=path) if path.startswith(dead) else look(path)

    assert (True, True, None) == (place.silent, place.there, device(place))
    assert lies_inside(f"{dead}/in", dead, seen=seen)
    assert not lies_inside(dead, f"{dead}/in", seen=seen)
    assert lies_inside(dead, str(tmp_path), seen=seen)
