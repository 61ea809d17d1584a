"""The pictures the sandbox paints."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops, ImageStat

from dropglow.sandbox.images import paint_expansion, paint_prompt
from dropglow.sandbox.moods import read_mood
from dropglow.sandbox.surroundings import Box, place_photo

CENTRE = ("center", "center")


def opened(content: bytes) -> Image.Image:
    """Return a painted picture."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def photo(
    width: int, height: int, *, form: str = "JPEG", mode: str = "RGB", exif: Image.Exif | None = None
) -> bytes:
    """Return a made-up photo: red above, blue below."""
    picture = Image.new(mode, (width, height), "red")
    picture.paste("blue", (0, height // 2, width, height))
    buffer = io.BytesIO()
    picture.save(buffer, form, exif=exif or Image.Exif())
    return buffer.getvalue()


def expanded(source: bytes, *, width: int = 240, height: int = 240, mask: bytes | None = None) -> Image.Image:
    """Return a centred expansion."""
    return opened(
        paint_expansion(
            source, width=width, height=height, alignment=CENTRE, inset={}, mask=mask, seed=1, prompt="more"
        )
    )


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return how much two pictures differ on average, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


@pytest.mark.parametrize("content_class", ["photo", "art"])
@pytest.mark.parametrize(("width", "height"), [(320, 320), (336, 192), (90, 160), (16, 16)])
def test_a_picture_has_the_size_that_was_ordered(content_class: str, width: int, height: int) -> None:
    """Every shape is painted, as JPEG."""
    picture = opened(paint_prompt("a lake", seed=1, content_class=content_class, width=width, height=height))

    assert ("JPEG", (width, height)) == (picture.format, picture.size)


def test_the_same_request_gives_the_same_bytes() -> None:
    """A run can be repeated byte for byte."""
    first, second = (
        paint_prompt("a lake", seed=1, content_class="photo", width=160, height=160) for _ in range(2)
    )

    assert first == second


@pytest.mark.parametrize(
    ("prompt", "seed", "content_class"),
    [("a city at night", 1, "photo"), ("a lake", 2, "photo"), ("a lake", 1, "art")],
)
def test_prompt_seed_and_class_change_the_picture(prompt: str, seed: int, content_class: str) -> None:
    """Different requests look different."""
    first = opened(paint_prompt("a lake", seed=1, content_class="photo", width=160, height=160))
    second = opened(paint_prompt(prompt, seed=seed, content_class=content_class, width=160, height=160))

    assert difference(first, second) > 4


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("content_class", ["photo", "art"])
@pytest.mark.parametrize(
    "prompt", ["city forest sea desert snow mist meadow mountain night", "snow at noon", "dark dunes"]
)
def test_all_things_can_be_painted(prompt: str, content_class: str, seed: int) -> None:
    """Every scene and every style of poster comes out."""
    assert opened(
        paint_prompt(prompt, seed=seed, content_class=content_class, width=200, height=150)
    ).size == (200, 150)


@pytest.mark.parametrize(
    "prompt", ["", "\ud83d", "\U0001f600 مرحبا 你好", "\x00\n\u202e\u200d", "x" * 1024, "🏴‍☠️" * 100]
)
def test_no_prompt_is_too_odd(prompt: str) -> None:
    """Whatever JSON can carry can be painted."""
    assert opened(paint_prompt(prompt, seed=-5, content_class="art", width=64, height=64)).size == (64, 64)


def test_words_give_the_light() -> None:
    """A night is darker than a day."""
    day, night = (
        opened(
            paint_prompt(f"a meadow by {light}", seed=1, content_class="photo", width=160, height=160)
        ).convert("L")
        for light in ("day", "night")
    )

    assert ImageStat.Stat(day).mean[0] > ImageStat.Stat(night).mean[0] + 50


def test_words_give_the_things() -> None:
    """Plurals and capitals are understood."""
    import random

    assert {"water", "peaks"} == read_mood("BOATS below Mountains", random.Random(1)).things


def test_an_expansion_contains_its_photo() -> None:
    """The photo is in the middle, upright."""
    picture = expanded(photo(120, 80))

    red, blue = picture.getpixel((120, 100)), picture.getpixel((120, 140))

    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200
    assert red[2] < 60
    assert blue[2] > 200
    assert blue[0] < 60


def test_the_surroundings_continue_the_photo() -> None:
    """Above a red sky there is more of it, and no border."""
    picture = expanded(photo(120, 80))

    above = picture.getpixel((120, 60))

    assert isinstance(above, tuple)
    assert above[0] > 150
    assert above[2] < 90


def test_an_upload_lying_on_its_side_is_turned() -> None:
    """The camera's orientation is respected."""
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down

    picture = expanded(photo(120, 80, exif=exif))

    below = picture.getpixel((120, 140))
    assert isinstance(below, tuple)
    assert below[0] > 200


@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "RGBA"), ("PNG", "L"), ("PNG", "1"), ("TIFF", "CMYK"), ("PNG", "LA"), ("WEBP", "RGB")],
)
def test_every_kind_of_upload_is_expanded(form: str, mode: str) -> None:
    """Transparent, grey and printers' colours are no obstacle."""
    buffer = io.BytesIO()
    Image.new(mode, (60, 40)).save(buffer, form)

    assert expanded(buffer.getvalue()).size == (240, 240)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 500), (500, 1), (4000, 30)])
def test_every_shape_of_upload_is_expanded(width: int, height: int) -> None:
    """Slivers and dots have surroundings, too."""
    assert expanded(photo(width, height)).size == (240, 240)


def test_a_mask_is_painted_over() -> None:
    """White parts of the mask hide the photo."""
    buffer = io.BytesIO()
    Image.new("L", (240, 240), 255).save(buffer, "PNG")

    bare, masked = expanded(photo(120, 80)), expanded(photo(120, 80), mask=buffer.getvalue())

    assert difference(bare, masked) > 1


@pytest.mark.parametrize(
    ("alignment", "inset", "box"),
    [
        (("center", "center"), {}, Box(left=100, top=150, right=300, bottom=250)),
        (("left", "top"), {}, Box(left=0, top=0, right=200, bottom=100)),
        (("right", "bottom"), {}, Box(left=200, top=300, right=400, bottom=400)),
        (("center", "center"), {"left": 50, "right": 50}, Box(left=50, top=125, right=350, bottom=275)),
        (("center", "bottom"), {"top": 10}, Box(left=0, top=200, right=400, bottom=400)),
        (("center", "center"), {"left": 400, "right": 400}, Box(left=0, top=100, right=400, bottom=300)),
        (("center", "center"), {"left": -9}, Box(left=0, top=100, right=400, bottom=300)),
    ],
)
def test_a_photo_lies_where_it_was_ordered(
    alignment: tuple[str, str], inset: dict[str, int], box: Box
) -> None:
    """Alignment and margins decide the place; impossible margins are ignored."""
    assert box == place_photo((200, 100), (400, 400), alignment=alignment, inset=inset)


def test_a_large_photo_leaves_room() -> None:
    """A photo larger than the canvas is made smaller, so that there is something to paint."""
    assert place_photo((4000, 4000), (1000, 1000), alignment=CENTRE, inset={}).size == (800, 800)
