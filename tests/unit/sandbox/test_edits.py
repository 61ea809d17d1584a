"""What the sandbox makes of uploaded pictures."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from dropglow.sandbox.edits import (
    paint_adaptive_composite,
    paint_edit,
    paint_fill,
    paint_object_composite,
    paint_precise_composite,
    paint_similar,
    paint_upscale,
)

SIZE = (240, 240)
SQUARE: dict[str, Any] = {"width": 240, "height": 240}
# The ribbon lies below; corners and quarters of the pictures are looked at above it.
LEFT = (0, 0, 60, 200)
RIGHT = (180, 0, 240, 200)


def saved(picture: Image.Image, form: str = "PNG") -> bytes:
    """Return a picture as bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    """Return a painted picture."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def photo(width: int = 300, height: int = 300) -> Image.Image:
    """Return a made-up photo: red above, blue below, with some unevenness."""
    picture = Image.new("RGB", (width, height), (190, 60, 50))
    picture.paste((40, 70, 160), (0, height // 2, width, height))
    rough = Image.frombytes("L", (30, 30), random.Random(1).randbytes(900)).resize((width, height))
    rough = rough.point([112 + level // 8 for level in range(256)])
    return ImageChops.add(picture, Image.merge("RGB", (rough, rough, rough)), offset=-128)


def half_mask(width: int = 300, height: int = 300) -> bytes:
    """Return a mask whose right half is white."""
    mask = Image.new("L", (width, height))
    mask.paste(255, (width // 2, 0, width, height))
    return saved(mask)


def ball(colour: str = "green", size: int = 120) -> bytes:
    """Return a ball on a transparent ground."""
    picture = Image.new("RGBA", (size, size))
    ImageDraw.Draw(picture).ellipse((10, 10, size - 11, size - 11), fill=colour)
    return saved(picture)


def area(box: tuple[int, int, int, int] = (100, 60, 180, 180)) -> bytes:
    """Return a mask of 240 x 240 pixels that is white within a box."""
    mask = Image.new("L", SIZE)
    mask.paste(255, box)
    return saved(mask)


def difference(
    first: Image.Image, second: Image.Image, box: tuple[int, int, int, int] | None = None
) -> float:
    """Return how much two pictures differ on average within a box, 0 to 255."""
    apart = ImageChops.difference(first.convert("RGB"), second.convert("RGB")).crop(box)
    return sum(ImageStat.Stat(apart).mean) / 3


def mean(picture: Image.Image, box: tuple[int, int, int, int]) -> list[float]:
    """Return the average red, green and blue within a box."""
    return ImageStat.Stat(picture.convert("RGB").crop(box)).mean


def similar(source: bytes, **changed: Any) -> bytes:
    """Return a variation."""
    return paint_similar(source, **SQUARE | {"seed": 1} | changed)


def filled(source: bytes, **changed: Any) -> bytes:
    """Return a photo whose right half is painted anew."""
    usual = {"mask": half_mask(), "invert_mask": False, "prompt": "a forest", "seed": 1}
    return paint_fill(source, **SQUARE | usual | changed)


def in_scene(source: bytes, **changed: Any) -> bytes:
    """Return an object in a scene."""
    usual = {"mask": None, "prompt": "a beach", "seed": 1, "content_class": "photo"}
    placed = {"alignment": ("center", "center"), "inset": {}}
    return paint_object_composite(source, **SQUARE | usual | placed | changed)


def precise(background: bytes, **changed: Any) -> bytes:
    """Return a green ball on a background."""
    usual: dict[str, Any] = {
        "area": area(),
        "object_": ball(),
        "blend": 0.5,
        "seed": 1,
        "media_type": "image/jpeg",
    }
    return paint_precise_composite(background, **usual | changed)


def adaptive(background: bytes, **changed: Any) -> bytes:
    """Return a green ball on a background, with light and shadow."""
    usual: dict[str, Any] = {
        "area": area(),
        "object_": ball(),
        "object_mask": None,
        "seed": 1,
        "media_type": "image/jpeg",
    }
    care: dict[str, Any] = {"harmonization": 0.6, "shadow_intensity": 1.0, "preserve_background": True}
    return paint_adaptive_composite(background, **usual | care | changed)


def upscaled(source: bytes, **changed: Any) -> bytes:
    """Return a photo twice as large."""
    return paint_upscale(source, **{"factor": 2, "seed": 1} | changed)


def edited(source: bytes, **changed: Any) -> bytes:
    """Return a photo edited by instruction."""
    return paint_edit(source, **SQUARE | {"prompt": "make it night", "seed": 1} | changed)


Painter = Callable[..., bytes]
PAINTERS: list[Painter] = [similar, filled, in_scene, precise, adaptive, upscaled, edited]


@pytest.mark.parametrize("paint", PAINTERS)
def test_the_same_order_gives_the_same_bytes(paint: Painter) -> None:
    """A run can be repeated byte for byte."""
    source = saved(photo())

    assert paint(source) == paint(source)


@pytest.mark.parametrize("paint", [similar, filled, in_scene, adaptive, edited])
def test_another_seed_gives_another_picture(paint: Painter) -> None:
    """Variations differ by more than their ribbon."""
    source = saved(photo())
    first, second = (opened(paint(source, seed=seed)) for seed in (2, 7))

    assert difference(first, second, (0, 0, 240, 200)) > 0.1


@pytest.mark.parametrize("paint", PAINTERS)
@pytest.mark.parametrize("broken", [b"", b"no picture", saved(photo())[:2000]])
def test_what_is_no_picture_is_an_error(paint: Painter, broken: bytes) -> None:
    """Broken bytes raise what the caller is told to expect."""
    with pytest.raises(OSError, match=r"."):
        paint(broken)


@pytest.mark.parametrize(
    ("paint", "name"),
    [
        (filled, "mask"),
        (in_scene, "mask"),
        (precise, "area"),
        (precise, "object_"),
        (adaptive, "object_mask"),
    ],
)
def test_a_broken_companion_is_an_error(paint: Painter, name: str) -> None:
    """Masks and objects are read as carefully as photos."""
    with pytest.raises(OSError, match=r"."):
        paint(saved(photo()), **{name: b"no picture"})


@pytest.mark.parametrize("paint", [similar, filled, in_scene, edited])
@pytest.mark.parametrize(("width", "height"), [(336, 192), (90, 160), (16, 16), (3, 40)])
def test_a_picture_has_the_size_that_was_ordered(paint: Painter, width: int, height: int) -> None:
    """Every shape is painted, whatever the shape of the source, as JPEG."""
    picture = opened(paint(saved(photo(300, 200)), width=width, height=height))

    assert ("JPEG", (width, height)) == (picture.format, picture.size)


@pytest.mark.parametrize("paint", PAINTERS)
@pytest.mark.parametrize(
    "source",
    [
        saved(photo(1, 1)),
        saved(photo(7, 300)),
        saved(photo().convert("CMYK"), "TIFF"),
        saved(photo().convert("L")),
        saved(photo().convert("P")),
    ],
    ids=["one pixel", "narrow", "CMYK", "grey", "palette"],
)
def test_every_kind_of_source_is_painted(paint: Painter, source: bytes) -> None:
    """Small, narrow and oddly coloured pictures give pictures too."""
    assert opened(paint(source)).mode == "RGB"


def test_a_variation_is_akin_and_not_the_same() -> None:
    """A variation keeps what is above and below, and its colours, yet differs from the photo."""
    picture = opened(similar(saved(photo())))

    red, blue = mean(picture, (40, 10, 200, 60)), mean(picture, (40, 170, 200, 210))
    assert red[0] > red[2] + 50
    assert blue[2] > blue[0] + 50
    assert difference(picture, photo().resize(SIZE)) > 3


def test_only_the_white_part_is_painted_anew() -> None:
    """The black side of the mask is the photo, the white one is something else."""
    picture, before = opened(filled(saved(photo()))), photo().resize(SIZE)

    assert difference(picture, before, LEFT) < 4
    assert difference(picture, before, RIGHT) > 20


def test_an_inverted_mask_paints_the_black_part() -> None:
    """What is white is kept if the mask is inverted."""
    picture, before = opened(filled(saved(photo()), invert_mask=True)), photo().resize(SIZE)

    assert difference(picture, before, LEFT) > 20
    assert difference(picture, before, RIGHT) < 4


def test_prompts_fill_differently() -> None:
    """What is painted into the mask is what the prompt says."""
    source = saved(photo())
    first, second = (opened(filled(source, prompt=prompt)) for prompt in ("a snowy day", "a city at night"))

    assert difference(first, second, RIGHT) > 20


def test_without_a_prompt_the_surroundings_grow_over_the_mask() -> None:
    """A thing that is masked disappears into what is around it."""
    spotted = photo()
    spotted.paste("yellow", (120, 60, 160, 100))
    mask = Image.new("L", spotted.size)
    mask.paste(255, (115, 55, 165, 105))
    picture = opened(filled(saved(spotted), mask=saved(mask), prompt=""))

    assert difference(picture, photo().resize(SIZE), (80, 30, 150, 100)) < 12


@pytest.mark.parametrize("prompt", ["", "a forest"])
def test_a_black_mask_changes_nothing(prompt: str) -> None:
    """Without any white there is nothing to fill."""
    picture = opened(filled(saved(photo()), mask=saved(Image.new("L", (300, 300))), prompt=prompt))

    assert difference(picture, photo().resize(SIZE), (0, 0, 240, 200)) < 4


@pytest.mark.parametrize("prompt", ["", "a forest"])
def test_a_white_mask_changes_everything(prompt: str) -> None:
    """A mask without any black leaves nothing to grow from, and is painted all the same."""
    picture = opened(filled(saved(photo()), mask=saved(Image.new("L", (300, 300), 255)), prompt=prompt))

    assert difference(picture, photo().resize(SIZE), (0, 0, 240, 200)) > 4


def test_a_transparent_object_stands_in_the_scene() -> None:
    """What is transparent shows the scene, what is not shows the object."""
    picture = opened(in_scene(ball()))
    bare = opened(in_scene(saved(Image.new("RGBA", (1, 1), (0, 0, 0, 0)))))

    inside = mean(picture, (110, 110, 130, 130))
    assert inside[1] > 1.4 * max(inside[0], inside[2])
    assert difference(picture, bare, (0, 0, 40, 60)) < 1


def test_plain_ground_is_not_part_of_the_object() -> None:
    """A product on white is cut out although nothing is transparent."""
    product = Image.new("RGB", (120, 120), "white")
    ImageDraw.Draw(product).ellipse((20, 20, 100, 100), fill="green")
    picture = opened(in_scene(saved(product)))

    assert mean(picture, (110, 110, 130, 130))[1] > 80
    assert difference(picture, opened(in_scene(ball())), (110, 110, 130, 130)) < 25
    assert min(mean(picture, (60, 60, 68, 68))) < 250


@pytest.mark.parametrize(("side", "x"), [("left", 50), ("right", 190)])
def test_the_object_stands_where_it_is_aligned(side: str, x: int) -> None:
    """An alignment moves the object."""
    picture = opened(in_scene(ball(size=100), alignment=(side, "center")))

    inside = mean(picture, (x - 8, 112, x + 8, 128))
    assert inside[1] > 1.3 * inside[2]


def test_margins_place_the_object() -> None:
    """An inset of three quarters leaves the object its corner."""
    picture = opened(in_scene(ball(), inset={"left": 180, "bottom": 180}))

    inside = mean(picture, (202, 22, 218, 38))
    assert inside[1] > 1.3 * inside[2]


def test_the_white_part_of_a_mask_becomes_the_scene() -> None:
    """With a mask the object stays where it was, and what is white is painted from the prompt."""
    picture, before = opened(in_scene(saved(photo()), mask=half_mask())), photo().resize(SIZE)

    assert difference(picture, before, LEFT) < 30
    assert difference(picture, before, RIGHT) > 30


def test_a_whole_photo_fades_into_the_scene() -> None:
    """A photo without an object to cut out is shown with soft edges."""
    picture = opened(in_scene(saved(photo())))

    inside, outside = mean(picture, (100, 90, 140, 110)), mean(picture, (2, 2, 20, 20))
    assert inside[0] > inside[2] + 40
    assert outside[0] < outside[2] + 40


def test_art_and_photo_scenes_differ() -> None:
    """The class of content decides how the scene is painted."""
    first, second = (opened(in_scene(ball(), content_class=each)) for each in ("photo", "art"))

    assert difference(first, second, (0, 0, 60, 200)) > 4


@pytest.mark.parametrize("paint", [precise, adaptive])
@pytest.mark.parametrize(
    ("media_type", "form"),
    [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/webp", "WEBP"), ("image/other", "JPEG")],
)
def test_composites_come_in_the_format_that_was_ordered(paint: Painter, media_type: str, form: str) -> None:
    """The media type decides; one that cannot be written gives a JPEG of the background's size."""
    picture = opened(paint(saved(photo(240, 200)), media_type=media_type))

    assert (form, (240, 200)) == (picture.format, picture.size)


@pytest.mark.parametrize("paint", [precise, adaptive])
def test_the_object_stands_in_the_white_area(paint: Painter) -> None:
    """Inside the area is the object, far from it the background is what it was."""
    before = photo(*SIZE)
    picture = opened(paint(saved(before)))

    inside = mean(picture, (130, 130, 150, 150))
    assert inside[1] > max(inside[0], inside[2])
    assert difference(picture, before, (0, 0, 50, 50)) < 4


def test_a_photo_takes_the_shape_of_the_area() -> None:
    """An object without an outline fills the area and nothing else."""
    before = photo(*SIZE)
    yellow = saved(ImageChops.add(photo(100, 100), Image.new("RGB", (100, 100), (0, 150, 0))))
    picture = opened(precise(saved(before), object_=yellow, blend=1.0))

    assert difference(picture, before, (110, 70, 170, 170)) > 30
    assert difference(picture, before, (190, 0, 240, 50)) < 4


def test_an_area_without_white_is_the_whole_background() -> None:
    """An empty area does not stop the painting."""
    picture = opened(precise(saved(photo(*SIZE)), area=saved(Image.new("L", SIZE))))

    assert mean(picture, (110, 110, 130, 130))[1] > 80


def test_blending_keeps_or_changes_the_objects_colours() -> None:
    """At 1 the object has its own colour, at 0 it has taken on those around it."""
    source, middle = saved(photo(*SIZE)), (130, 130, 150, 150)
    own, harmonised = (mean(opened(precise(source, blend=blend)), middle) for blend in (1.0, 0.0))

    assert own == pytest.approx([0, 128, 0], abs=6)
    assert harmonised[0] > own[0] + 15


def test_harmonising_changes_the_objects_colours() -> None:
    """The more harmony, the nearer the object is to the background."""
    source, middle = saved(photo(*SIZE)), (130, 130, 150, 150)
    own, harmonised = (mean(opened(adaptive(source, harmonization=each)), middle) for each in (0.0, 1.0))

    assert harmonised[0] > own[0] + 15


def test_the_shadow_is_as_dark_as_ordered() -> None:
    """No shadow leaves the ground as it was; a whole one darkens it."""
    ground = Image.new("RGB", SIZE, (200, 200, 190))
    bright, dark = (opened(adaptive(saved(ground), shadow_intensity=each)) for each in (0.0, 1.0))

    assert difference(bright, ground, (0, 60, 90, 200)) < 2
    assert sum(mean(dark, (20, 100, 220, 190))) < sum(mean(bright, (20, 100, 220, 190))) - 3


def test_the_background_in_the_area_is_kept_only_if_ordered() -> None:
    """What stood in the area is painted over, unless the background is to be preserved."""
    before = photo(*SIZE)
    before.paste("yellow", (104, 64, 116, 76))
    kept, lost = (
        opened(adaptive(saved(before), preserve_background=each, shadow_intensity=0.0))
        for each in (True, False)
    )

    assert difference(kept, before, (106, 66, 114, 74)) < 6
    assert difference(lost, before, (106, 66, 114, 74)) > 40


def test_an_objects_mask_says_what_the_object_is() -> None:
    """Only what is white in its mask is set into the background."""
    thing = Image.new("RGB", (100, 100), "green")
    thing.paste("yellow", (50, 0, 100, 100))
    mask = Image.new("L", (100, 100))
    mask.paste(255, (0, 0, 50, 100))
    picture = opened(
        adaptive(saved(photo(*SIZE)), object_=saved(thing), object_mask=saved(mask), harmonization=0.0)
    )

    assert mean(picture, (125, 100, 155, 150)) == pytest.approx([0, 128, 0], abs=6)


@pytest.mark.parametrize("factor", [2, 3, 4, 6])
def test_an_enlargement_is_so_many_times_as_large(factor: int) -> None:
    """Both sides are multiplied, in RGB."""
    picture = opened(upscaled(saved(photo(60, 40).convert("CMYK"), "TIFF"), factor=factor))

    assert ((60 * factor, 40 * factor), "RGB") == (picture.size, picture.mode)


def test_an_enlargement_has_a_limit() -> None:
    """The longer side ends at 6144 pixels, and the shape stays."""
    assert opened(upscaled(saved(photo(2048, 64)), factor=6)).size == (6144, 192)


def test_an_enlargement_shows_the_same() -> None:
    """Made small again, an enlargement is the photo."""
    picture = opened(upscaled(saved(photo())))

    assert difference(picture.resize((300, 300)), photo(), (0, 0, 300, 260)) < 4


@pytest.mark.parametrize(
    "prompt",
    [
        "a snowy day",
        "a misty morning",
        "golden sunset",
        "black and white",
        "vintage",
        "a pencil sketch",
        "oil painting",
        "comic",
    ],
)
def test_an_instruction_changes_the_photo(prompt: str) -> None:
    """Light, weather and manners are applied, and no two look the same."""
    source = saved(photo())
    picture = opened(edited(source, prompt=prompt))

    assert difference(picture, photo().resize(SIZE), (0, 0, 240, 200)) > 8
    assert difference(picture, opened(edited(source)), (0, 0, 240, 200)) > 8


def test_a_night_is_dark() -> None:
    """By night a photo is darker than by day."""
    dark = mean(opened(edited(saved(photo()))), (0, 0, 240, 200))

    assert sum(dark) < 0.8 * sum(mean(photo(), (0, 0, 300, 260)))


def test_no_colour_is_left_without_colours() -> None:
    """A photo in the manner of film noir is grey."""
    picture = opened(edited(saved(photo()), prompt="film noir"))

    assert mean(picture, (0, 0, 240, 200)) == pytest.approx([mean(picture, (0, 0, 240, 200))[0]] * 3, abs=2)


@pytest.mark.parametrize("paint", [filled, in_scene, edited])
def test_any_prompt_can_be_written_on_a_picture(paint: Painter) -> None:
    """Lone surrogates and control characters spoil no picture."""
    assert opened(paint(saved(photo()), prompt="a\ud83d\x00 line\n" * 20)).size == SIZE
