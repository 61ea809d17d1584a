"""Names that belong together, in both directions."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.rules.beside import Owner, owner, owner_keys, owners, partner, partners

TEMPLATES = [
    "{stem}.mask.png",
    "{name}.txt",
    "mask of {stem}.png",
    "{stem}-{stem}.png",
    "{stem} of {name}.png",
]
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("template", "path", "beside"),
    [
        ("{stem}.mask.png", "beach.jpg", "beach.mask.png"),
        ("{stem}.mask.png", "summer/day 1/beach.jpg", "summer/day 1/beach.mask.png"),
        ("{stem}.txt", "beach.final.jpg", "beach.final.txt"),
        ("{name}.txt", "beach.jpg", "beach.jpg.txt"),
        ("{stem}.png", "README", "README.png"),
        ("{stem}.txt", ".jpg", ".jpg.txt"),
        ("{stem}.{stem}.png", "a\\1.jpg", "a\\1.a\\1.png"),
    ],
)
def test_a_partner_lies_beside_its_drop(template: str, path: str, beside: str) -> None:
    """The same folder, the name by the template, whatever the drop is called."""
    assert beside == partner(template, path)


def test_partners_stand_once_in_the_order_of_the_rule() -> None:
    """A file that a rule names twice is waited for once."""
    assert ("a.m.png", "a.txt") == partners(["{stem}.m.png", "{stem}.txt", "{stem}.m.png"], "a.jpg")


@pytest.mark.parametrize(
    ("template", "path", "pattern"),
    [
        ("{stem}.mask.png", "beach.mask.png", "beach.*"),
        ("{stem}.mask.png", "Summer/Beach.Mask.PNG", "Summer/Beach.*"),
        ("{name}.txt", "beach.jpg.txt", "beach.jpg"),
        ("{stem}.{stem}.png", "a.b.a.b.png", "a.b.*"),
    ],
)
def test_a_partner_tells_whose_it_is(template: str, path: str, pattern: str) -> None:
    """The drop's name is given as the partner spells it."""
    found = owner(template, path)

    assert found is not None
    assert pattern == found.pattern


@pytest.mark.parametrize("path", ["beach.jpg", ".mask.png", "beach.mask.png.jpg", "beach.mask.png/beach.jpg"])
def test_other_names_belong_to_nobody(path: str) -> None:
    """A name that does not fit, or that leaves nothing for the drop, is no partner's."""
    assert owner("{stem}.mask.png", path) is None


@pytest.mark.parametrize("template", ["{stem}.größe.png", unicodedata.normalize("NFD", "{stem}.größe.png")])
@pytest.mark.parametrize("path", ["beach.größe.png", unicodedata.normalize("NFD", "beach.größe.png")])
def test_a_template_is_read_in_any_normal_form(template: str, path: str) -> None:
    """Some systems write an umlaut as one character and some as two."""
    found = owner(template, path)

    assert found is not None
    assert "beach" == found.path


def test_a_file_may_be_the_partner_of_several() -> None:
    """Every template is asked once."""
    found = owners(["{stem}.txt", "{name}.txt", "{stem}.png", "{stem}.txt"], "beach.jpg.txt")

    assert (Owner(path="beach.jpg", whole=False), Owner(path="beach.jpg", whole=True)) == found


@pytest.mark.parametrize("template", TEMPLATES)
@given(name=NAMES)
def test_there_and_back(template: str, name: str) -> None:
    """Whatever a drop is called, its partner's owner has a key that the drop is known by."""
    found = owner(template, partner(template, f"in/{name}"))

    assert found is not None
    assert found.key in owner_keys(unicodedata.normalize("NFC", f"in/{name}"))


@pytest.mark.parametrize("spelled", ["CAFÉ.Mask.png", "cafe\u0301.mask.png", "café.mask.png"])
def test_case_and_normal_form_do_not_matter(spelled: str) -> None:
    """A Macintosh, a camera and a person spell the same name differently."""
    found = owner("{stem}.mask.png", spelled)

    assert found is not None
    assert found.key in owner_keys("Café.jpg")


def test_a_stem_is_no_name() -> None:
    """A file without an extension is not taken for the drop that a partner names in full."""
    whole = owner("{name}.txt", "beach.jpg.txt")

    assert whole is not None
    assert whole.key not in owner_keys("beach.jpg.tif")
