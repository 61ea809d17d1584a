"""``dropglow explain`` of a file that others belong to: they are looked into where they lie, and named where not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from dropglow.cli.main import main

CONFIGURATION = """
state: ./state
rules:
  - name: scenes
    inbox: inbox
    outbox: outbox
    split: lines
    patience: 5m
    composite: {prompt: {sidecar: "{stem}.txt"}, mask: {sidecar: "{stem}.mask.png"}}
"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a photo in the inbox of a site."""
    (tmp_path / "dropglow.yaml").write_text(CONFIGURATION)
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "inbox" / "beach.jpg"
    Image.effect_noise((240, 160), 90).convert("RGB").save(path)
    return path


def explained(photo: Path, *options: str) -> str:
    site = next(folder for folder in photo.parents if (folder / "dropglow.yaml").is_file())
    result = CliRunner().invoke(main, ["--config", str(site), "explain", str(photo), *options])
    assert 0 == result.exit_code, result.output
    return result.output


def order(photo: Path) -> dict[str, Any]:
    (inbox,) = json.loads(explained(photo, "--json"))["inboxes"]
    found: dict[str, Any]
    (found,) = inbox["orders"]
    return found


def test_what_lies_beside_the_file_is_looked_into(photo: Path) -> None:
    """Letter case does not matter, and the prompt is in the requests."""
    (photo.parent / "BEACH.txt").write_text("on sand\non snow\n")
    Image.new("L", (240, 160)).save(photo.parent / "beach.mask.png")

    found = order(photo)

    assert [] == found["waits_for"]
    assert ["on sand", "on snow"] == [request["body"]["prompt"] for request in found["requests"]]
    assert ["beach.jpg", "beach.mask.png"] == [upload["file"] for upload in found["uploads"]]
    assert "image/png" == found["uploads"][1]["headers"]["content-type"]


def test_what_is_not_there_yet_is_waited_for(photo: Path) -> None:
    """It is foreseen by its name, and the patience is told."""
    found = order(photo)

    assert ["beach.txt", "beach.mask.png"] == found["waits_for"]
    assert ["<the text of beach.txt>"] == [request["body"]["prompt"] for request in found["requests"]]
    assert "It waits for beach.txt and beach.mask.png beside it, at most 5 minutes." in explained(photo)


def test_the_price_of_an_unwritten_text_is_that_of_a_line(photo: Path) -> None:
    """Nobody can count its lines yet; when it is there they are counted."""
    before = explained(photo)
    (photo.parent / "beach.txt").write_text("on sand\non snow\n")

    assert "Price: 1 image for each line of the text\n" in before
    assert "Price: 2 images\n" in explained(photo)
    assert order(photo.with_name("other.jpg"))["uncounted"]


def test_a_short_patience_is_said_in_seconds(photo: Path) -> None:
    """Twenty seconds are not a third of a minute."""
    site = photo.parent.parent / "dropglow.yaml"
    site.write_text(CONFIGURATION.replace("5m", "20s"))

    assert "at most 20 seconds." in explained(photo)


def test_a_file_that_is_not_dropped_yet_waits_for_all_of_them(photo: Path) -> None:
    """Where there is no file there is nothing beside it."""
    assert ["other.txt", "other.mask.png"] == order(photo.with_name("other.jpg"))["waits_for"]


def test_a_prompt_beside_it_that_cannot_be_read_orders_nothing(photo: Path) -> None:
    """The reason is told before anything is dropped."""
    (photo.parent / "beach.txt").write_bytes(b"\xff\xfa\x00")

    assert order(photo)["fault"]


def test_a_folder_that_is_not_there_has_nothing_in_it(photo: Path) -> None:
    """A name may have a folder that nobody has made yet."""
    assert ["beach.txt", "beach.mask.png"] == order(photo.parent / "new" / "beach.jpg")["waits_for"]


def test_the_marker_that_is_waited_for_is_named(photo: Path) -> None:
    """It is not there, and then it is."""
    settings = photo.parents[1] / "dropglow.yaml"
    settings.write_text(CONFIGURATION.replace("patience", 'ready: "{name}.done"\n    patience'))
    before, told = order(photo)["marker"], explained(photo)
    (photo.parent / "beach.JPG.done").touch()

    assert "beach.jpg.done" == before
    assert "It is not taken before beach.jpg.done lies beside it, however long that takes." in told
    assert order(photo)["marker"] is None
    assert "it is the marker of beach.JPG for scenes (`ready`)" in explained(photo.parent / "beach.JPG.done")
