"""``dropglow explain`` tells beforehand what would be sent of a picture that Firefly does not take as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from PIL import Image

from dropglow.cli.main import main

CONFIGURATION: Final = """
state: ./state
rules:
  - name: sizes
    inbox: inbox
    outbox: outbox
    also: true
    expand: {sizes: [800x600, 900x700]}
  - name: bare
    inbox: inbox
    outbox: bare
    strip_metadata: true
    expand: {size: 800x600}
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "dropglow.yaml").write_text(CONFIGURATION)
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def explained(file: Path, *options: str) -> str:
    result = CliRunner().invoke(main, ["--config", str(file.parent.parent), "explain", str(file), *options])
    assert 0 == result.exit_code, result.output
    return result.stdout


def uploads(file: Path) -> list[list[dict[str, Any]]]:
    (inbox,) = json.loads(explained(file, "--json"))["inboxes"]
    return [order["uploads"] for order in inbox["orders"]]


def test_a_copy_is_foretold_with_its_reasons(photos: Path) -> None:
    """And with the kinds of file that may come out of it."""
    Image.new("CMYK", (240, 160)).save(photos / "print.jpg")
    (first, *_), _ = uploads(photos / "print.jpg")

    assert "converted from CMYK to sRGB, JPEG of at most 15 MB" == first["prepared"]
    assert "image/jpeg" == first["headers"]["content-type"]
    assert "as a copy: converted from CMYK to sRGB, JPEG of at most 15 MB" in explained(photos / "print.jpg")


def test_a_picture_that_is_all_right_has_nothing_to_be_told(photos: Path) -> None:
    """But a rule that strips notes sends another content, by an upload of its own."""
    Image.new("RGB", (240, 160)).save(photos / "beach.jpg")
    (as_it_is,), (bare,) = uploads(photos / "beach.jpg")

    assert as_it_is["prepared"] is None
    assert "without EXIF, GPS and other notes" == bare["prepared"]


def test_a_place_in_the_notes_is_mentioned(photos: Path) -> None:
    """So that somebody may think of leaving it out."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 36.0)}
    Image.new("RGB", (240, 160)).save(photos / "beach.jpg", exif=exif)

    assert "tells where it was taken" in explained(photos / "beach.jpg")
