"""What is sent of a picture: the file, a copy, or nothing; decided from what a look inside told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dropglow.fitness import MB, Demands, Refusal
from dropglow.model import Colours, Facts, Format, Kind
from dropglow.preparing import (
    LARGEST_SIDE,
    AsIs,
    Copy,
    Encoding,
    Plan,
    Stripped,
    foreseen,
    megabytes,
    plan,
    refusal,
    told,
)

PHOTO = Facts(
    kind=Kind.IMAGE, format=Format.JPEG, width=3000, height=2000, size_bytes=2 * MB, colours=Colours.RGB
)
NEEDY = {
    "format": replace(PHOTO, format=Format.GIF),
    "rotation": replace(PHOTO, orientation=6),
    "print": replace(PHOTO, colours=Colours.CMYK),
    "lab": replace(PHOTO, format=Format.TIFF, colours=Colours.LAB),
    "depth": replace(PHOTO, format=Format.PNG, bits=16),
    "bytes": replace(PHOTO, size_bytes=24 * MB),
}
ANY = Demands()
EDITED = Demands(smallest_area=512 * 512, largest_area=2048 * 2048, largest_ratio=5)


def sent(facts: Facts, demands: Demands = ANY, *, prepared: bool = True, stripped: bool = False) -> Plan:
    return plan(facts, demands, prepared=prepared, stripped=stripped)


def copied(facts: Facts, demands: Demands = ANY, *, stripped: bool = False) -> Copy:
    planned = sent(facts, demands, stripped=stripped)
    assert isinstance(planned, Copy)
    return planned


def refused(facts: Facts, demands: Demands = ANY, *, prepared: bool = True) -> str:
    planned = sent(facts, demands, prepared=prepared)
    assert isinstance(planned, Refusal)
    assert planned.hint
    return planned.message


@pytest.mark.parametrize("form", [Format.JPEG, Format.PNG, Format.WEBP, Format.TIFF, Format.JXL])
@pytest.mark.parametrize("prepared", [True, False])
def test_what_firefly_takes_is_sent_as_it_is(form: Format, prepared: bool) -> None:
    """No copy is made where nothing demands one, however large the picture."""
    assert AsIs() == sent(replace(PHOTO, format=form, width=12_000, height=9_000), prepared=prepared)


def test_what_is_not_known_is_taken_to_be_all_right() -> None:
    """A picture that a command only heard of is judged when it is there."""
    assert AsIs() == sent(Facts(kind=Kind.IMAGE))


@pytest.mark.parametrize("need", NEEDY)
def test_what_firefly_would_not_take_is_sent_as_a_copy(need: str) -> None:
    """One reason is enough."""
    assert 1 == len(copied(NEEDY[need]).reasons)


@pytest.mark.parametrize(
    ("need", "screens"), [("print", True), ("lab", True), ("rotation", False), ("depth", False)]
)
def test_only_the_colours_of_print_become_those_of_screens(need: str, screens: bool) -> None:
    """All others keep their profile."""
    assert screens is copied(NEEDY[need]).to_srgb


@pytest.mark.parametrize("need", NEEDY)
def test_without_preparation_it_is_refused_with_the_reason(need: str) -> None:
    """The rule says never, so its owner has to do it."""
    message = refused(NEEDY[need], prepared=False)

    assert message.startswith("the picture cannot be sent as it is: ")
    assert message.endswith("; and the rule says `prepare: never`")


def test_reasons_are_told_in_words() -> None:
    """For the log and the sidecar afterwards."""
    scan = replace(
        PHOTO, format=Format.TIFF, width=6336, height=9504, orientation=6, colours=Colours.CMYK, bits=16
    )
    made = copied(replace(scan, size_bytes=120 * MB), stripped=True)

    assert (
        "turned upright, converted from CMYK to sRGB, brought from 16 to 8 bits a channel, "
        "brought from 120.0 MB below 15 MB, 6336x9504 → 2731x4096, without EXIF, GPS and other notes, JPEG, 8.1 MB"
    ) == told(made.reasons, form=Format.JPEG, size_bytes=int(8.1 * MB))


def test_a_format_that_pillow_does_not_read_is_not_made_smaller() -> None:
    """A JPEG XL goes as it is, or not at all."""
    assert "a JPEG XL cannot be made smaller here" in refused(
        replace(PHOTO, format=Format.JXL, size_bytes=16 * MB)
    )


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(PHOTO, format=Format.WEBP, frames=12), "the picture is animated"),
        (replace(PHOTO, format=Format.TIFF, frames=3), "the picture has 3 pages"),
        (replace(PHOTO, format=Format.TIFF, colours=Colours.NUMBERS), "32-bit numbers"),
    ],
)
@pytest.mark.parametrize("prepared", [True, False])
def test_what_nobody_can_mend_is_refused(facts: Facts, words: str, prepared: bool) -> None:
    """Whatever the rule says about preparation."""
    assert words in refused(facts, prepared=prepared)


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (511, 512, "at least as many as 512x512 has"),
        (3001, 600, "more than 5 times as long as it is wide"),
        (600, 3001, "more than 5 times as long as it is wide"),
    ],
)
def test_a_picture_out_of_the_bounds_is_refused(width: int, height: int, words: str) -> None:
    """Too small or too long: no copy mends that."""
    assert words in refused(replace(PHOTO, width=width, height=height), EDITED)


@pytest.mark.parametrize(("width", "height"), [(512, 512), (2048, 2048), (4096, 1024), (512, 2560)])
def test_bounds_are_inclusive(width: int, height: int) -> None:
    """The document says so."""
    assert AsIs() == sent(replace(PHOTO, width=width, height=height), EDITED)


def test_as_many_bytes_as_adobe_takes_are_sent_as_they_are() -> None:
    """The limit itself is allowed; a copy stays below it, whichever megabyte Adobe means."""
    most = Demands().largest_bytes

    assert AsIs() == sent(replace(PHOTO, size_bytes=most))
    assert 15_000_000 == copied(replace(PHOTO, size_bytes=most + 1)).largest_bytes


def test_a_small_longer_side_is_refused() -> None:
    """One pixel decides."""
    demands = Demands(smallest_longer_side=600)

    assert "at least 600 on the longer side" in refused(replace(PHOTO, width=599, height=599), demands)
    assert AsIs() == sent(replace(PHOTO, width=600, height=10), demands)


@given(width=st.integers(512, 20_000), height=st.integers(512, 20_000))
@example(width=3091, height=15_452)  # four pixels of length for a shape that is still allowed
def test_a_large_area_is_made_to_fit(width: int, height: int) -> None:
    """Never a pixel more than is taken, nearly as many, and still not too long."""
    planned = sent(replace(PHOTO, width=width, height=height), EDITED)
    if isinstance(planned, Copy):
        area = planned.width * planned.height
        longer, shorter = max(planned.width, planned.height), min(planned.width, planned.height)

        assert area <= EDITED.largest_area
        assert area > EDITED.largest_area * 0.97 or longer > LARGEST_SIDE - EDITED.largest_ratio
        assert longer <= EDITED.largest_ratio * shorter


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((4160, 1040), (4096, 1024)),  # an even share of it: no pixel less than would fit
        ((4605, 921), (4095, 819)),  # rounded as it comes, it would be longer than five times its width
        ((921, 4605), (819, 4095)),
    ],
)
def test_what_is_made_to_fit_fits_to_the_pixel(before: tuple[int, int], after: tuple[int, int]) -> None:
    """Neither the area nor the shape passes its limit by a rounding."""
    made = copied(replace(PHOTO, width=before[0], height=before[1]), EDITED)

    assert after == (made.width, made.height)


@given(width=st.integers(1, 100_000), height=st.integers(1, 100_000))
def test_a_copy_is_no_larger_than_any_result(width: int, height: int) -> None:
    """Its shape stays; no side vanishes."""
    made = copied(replace(PHOTO, width=width, height=height, orientation=3))

    assert 1 <= min(made.width, made.height)
    assert min(LARGEST_SIDE, max(width, height)) == max(made.width, made.height)


def test_a_picture_with_a_mask_keeps_its_size() -> None:
    """Or they would not fit each other any more."""
    large = replace(PHOTO, width=9504, height=6336, orientation=6)
    made = copied(large, Demands(keeps_size=True))

    assert (9504, 6336) == (made.width, made.height)


def test_a_factor_that_makes_too_much_is_refused_with_those_that_do_not() -> None:
    """Its owner learns what would work."""
    wide = replace(PHOTO, width=2000, height=1500)
    no = sent(wide, Demands(upscaled_by=4))

    assert isinstance(no, Refusal)
    assert "4 times that is more than the 6144" in no.message
    assert "use the factor 2 or 3, or drop one of at most 1536 pixels" == no.hint
    assert AsIs() == sent(wide, Demands(upscaled_by=3))


def test_as_long_as_firefly_makes_is_not_too_long() -> None:
    """The bound itself can be reached, by the factor asked for and by one that is proposed."""
    assert AsIs() == sent(replace(PHOTO, width=3072), Demands(upscaled_by=2))
    no = sent(replace(PHOTO, width=2048, height=2048), Demands(upscaled_by=6))

    assert isinstance(no, Refusal)
    assert "use the factor 2 or 3, or drop one of at most 1024 pixels" == no.hint


def test_what_cannot_even_be_doubled_is_refused() -> None:
    """There is no factor to propose."""
    assert "cannot even be doubled" in refused(replace(PHOTO, width=3073), Demands(upscaled_by=6))


def test_print_colours_may_go_where_adobe_takes_them() -> None:
    """But a copy that is needed anyway is made for screens, and says so."""
    demands = Demands(takes_cmyk=True)
    printed = NEEDY["print"]

    assert AsIs() == sent(printed, demands)
    assert copied(replace(printed, orientation=6), demands).reasons == (
        "turned upright",
        "converted from CMYK to sRGB",
    )


@pytest.mark.parametrize("form", [Format.JPEG, Format.PNG, Format.WEBP, Format.JXL])
def test_notes_are_taken_out_without_encoding_a_pixel(form: Format) -> None:
    """Even where the rule allows no preparation: it asked for this."""
    assert isinstance(sent(replace(PHOTO, format=form), prepared=False, stripped=True), Stripped)


def test_notes_of_a_tiff_are_left_out_of_an_exact_copy() -> None:
    """They are woven into the file."""
    made = copied(replace(PHOTO, format=Format.TIFF), stripped=True)

    assert Encoding(format=Format.PNG) == made.encodings[0]


@pytest.mark.parametrize(
    ("facts", "demands", "ways"),
    [
        (NEEDY["rotation"], Demands(), ["jpeg95", "jpeg90", "jpeg85", "jpeg75", "jpeg65"]),
        (NEEDY["format"], Demands(), ["png", "jpeg95", "jpeg90", "jpeg85", "jpeg75", "jpeg65"]),
        (replace(NEEDY["bytes"], format=Format.PNG), Demands(), ["jpeg95", "jpeg90", "jpeg85", "jpeg75", "jpeg65"]),
        (replace(NEEDY["format"], transparent=True), Demands(), ["png", "webp95", "webp85", "webp75"]),
        (NEEDY["rotation"], Demands(exact=True, keeps_size=True), ["png", "webp"]),
        (
            replace(NEEDY["print"], format=Format.TIFF),
            Demands(),
            ["jpeg95", "jpeg90", "jpeg85", "jpeg75", "jpeg65"],
        ),
        (replace(NEEDY["rotation"], width=16_383), Demands(exact=True, keeps_size=True), ["png", "webp"]),
        (
            replace(NEEDY["rotation"], width=16_384, transparent=True),
            Demands(exact=True, keeps_size=True),
            ["png"],
        ),
    ],
)  # fmt: skip
def test_copies_are_written_in_the_best_way_that_fits(
    facts: Facts, demands: Demands, ways: list[str]
) -> None:
    """Masks lose nothing, transparency stays, drawings stay exact if they can, photographs become JPEGs."""
    made = copied(facts, demands)

    assert ways == [f"{each.format}{each.quality or ''}" for each in made.encodings]


def test_recipes_tell_copies_apart() -> None:
    """Else one copy would be taken for another that was uploaded before."""
    rotated = NEEDY["rotation"]
    recipes = {
        copied(rotated).recipe,
        copied(rotated, Demands(largest_bytes=10 * MB)).recipe,
        copied(rotated, EDITED).recipe,
        copied(rotated, Demands(exact=True, keeps_size=True)).recipe,
    }

    assert 4 == len(recipes)
    assert copied(rotated).recipe == copied(rotated).recipe


def test_what_will_be_sent_is_foreseen_in_words() -> None:
    """For a person who asks before it happens."""
    assert not foreseen(sent(PHOTO))
    assert "without EXIF, GPS and other notes" == foreseen(sent(PHOTO, stripped=True))
    assert "converted from GIF, PNG or JPEG of at most 15 MB" == foreseen(sent(NEEDY["format"]))
    assert "save the page" in foreseen(sent(replace(PHOTO, format=Format.TIFF, frames=2)))


def test_a_refusal_is_known_before_anything_is_stored() -> None:
    """And a picture that can be sent in some way gives none."""
    no = refusal(NEEDY["bytes"], Demands(), prepared=False)

    assert no is not None
    assert "it has 24.0 MB, and Firefly takes at most 15 MB here" in no.message
    assert refusal(NEEDY["bytes"], Demands(), prepared=True) is None


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(1, "1 kB"), (90_000, "88 kB"), (524_288, "0.5 MB"), (8_493_466, "8.1 MB")]
)
def test_sizes_are_told_as_people_say_them(size_bytes: int, text: str) -> None:
    """Small ones in kB."""
    assert text == megabytes(size_bytes)
