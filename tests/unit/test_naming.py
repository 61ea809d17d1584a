"""Names of results: safe whatever the values say, and as the template wants them."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.naming import (
    NAME_BYTES_MAX,
    TOKENS,
    candidates,
    default_template,
    places_folder,
    render,
    safe_folder,
    safe_name,
    shown,
    spare_names,
    storable,
    template_faults,
)

NASTY = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("./\\ -_:\x00\ud800\udce9é\u0301nulcoNx"))
)
TEMPLATES = st.lists(
    st.one_of(
        st.sampled_from([f"{{{token}}}" for token in TOKENS]), st.sampled_from(["_", "-", "/", "a", ".."])
    )
).map("".join)
DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"
}


def assert_safe(component: str) -> None:
    """Fail if a component of a path could surprise anybody."""
    assert component
    assert component not in {".", ".."}
    assert component[0] not in ".-"
    assert not re.search(r'[/\\<>:"|?*]', component)
    assert not {"Cc", "Cs"} & {unicodedata.category(char) for char in component}
    assert len(component.encode()) <= NAME_BYTES_MAX
    assert component == component.strip()
    assert not component.endswith(".")
    assert component.partition(".")[0].strip().casefold() not in DEVICES
    assert unicodedata.is_normalized("NFC", component)


@given(NASTY)
def test_a_safe_name_is_safe(name: str) -> None:
    """Whatever comes in, one harmless component comes out."""
    assert_safe(safe_name(name))


@given(NASTY)
def test_making_a_name_safe_twice_changes_nothing(name: str) -> None:
    """A safe name stays as it is."""
    assert safe_name(name) == safe_name(safe_name(name))


@given(NASTY)
def test_a_mirrored_folder_stays_below_the_outbox(path: str) -> None:
    """Every component of a folder is safe; the inbox itself is no folder at all."""
    folder = safe_folder(path)

    for component in folder.split("/") if folder else ():
        assert_safe(component)
    assert folder == safe_folder(folder)


@given(TEMPLATES, st.dictionaries(st.sampled_from(list(TOKENS)), NASTY), NASTY)
def test_no_value_leads_out_of_the_outbox(template: str, values: dict[str, str], stem: str) -> None:
    """Whatever the template and the values, the result is a safe path below the outbox."""
    name = render(template, {**values, "stem": stem})

    for component in name.split("/"):
        assert_safe(component)


@given(NASTY)
def test_the_extension_is_kept(stem: str) -> None:
    """However long or odd the stem is, programs still know what the file is."""
    assert render("{stem}{ext}", {"stem": stem * 30, "ext": ".jpg"}).endswith(".jpg")


@given(NASTY, st.integers(2, 40))
def test_candidates_differ_and_are_safe(stem: str, count: int) -> None:
    """The next names are as safe as the first one, in the same folder, and none comes twice."""
    name = render("sub/{stem}{ext}", {"stem": stem * 9, "ext": ".png"})

    names = list(islice(candidates(name), count))

    assert count == len(set(names))
    for candidate in names:
        folder, _, last = candidate.rpartition("/")
        assert "sub" == folder
        assert last.endswith(".png")
        assert_safe(last)


def test_candidates_count_before_the_extension() -> None:
    """The second name is the first with ``_2``."""
    assert ["a.jpg", "a_2.jpg", "a_3.jpg"] == list(islice(candidates("a.jpg"), 3))


def test_a_name_has_room_for_its_key() -> None:
    """The key stands before the extension, and a long name is cut for it."""
    short, long = list(spare_names("a.jpg", "abc")), list(spare_names(f"{'n' * 246}.jpg", "abc"))
    assert ["a.jpg", "a_2.jpg"] == short[:2]
    assert ["a_1000.jpg", "a.abc.jpg", "a.abc_2.jpg"] == short[999:1002]
    assert f"{'n' * 192}.abc.jpg" == long[1000]


def test_a_name_that_ends_like_its_second_is_not_told_twice() -> None:
    """A name that was cut to its length may end in _2 already."""
    name = f"{'a' * (NAME_BYTES_MAX - 6)}_2.jpg"

    assert [name, name.replace("_2", "_3")] == list(islice(candidates(name), 2))


def test_candidates_of_a_name_that_is_no_utf8_keep_its_bytes() -> None:
    """An original with an odd name can be put away beside its namesake, however long it is."""
    names = list(islice(candidates("caf\udce9" * 60 + ".jpg"), 2))

    assert names[1].startswith("caf\udce9caf\udce9")
    assert names[1].endswith("_2.jpg")
    assert len(names[1].encode("utf-8", "surrogateescape")) <= NAME_BYTES_MAX


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("beach.jpg", "beach.jpg"),
        ("", "_"),
        ("..", "_"),
        (".hidden", "_.hidden"),
        (".jpg", "_.jpg"),
        ("-rf", "_-rf"),
        ("a/b\\c", "a_b_c"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("lpt¹.png", "_lpt¹.png"),
        ("console.txt", "console.txt"),
        ("end. ", "end"),
        ("cafe\u0301", "café"),
        ("caf\udce9", "caf_"),
        ("turn\u202egpj.exe", "turn_gpj.exe"),
        ("tab\there", "tab_here"),
    ],
)
def test_a_name_is_made_safe_in_the_way_people_expect(name: str, expected: str) -> None:
    """Only what is harmful is changed."""
    assert expected == safe_name(name)


def test_a_long_name_is_cut_in_whole_characters() -> None:
    """The limit counts bytes, and no character is cut in half."""
    name = safe_name("ü" * 150 + ".jpeg")

    assert "ü" * 97 + ".jpeg" == name


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{stem}_{size}_{seed}{ext}", "beach_2048x2048_7.jpg"),
        ("{rule}/{stem}{ext}", "art/beach.jpg"),
        ("{folder}/{stem}{ext}", "a/b/beach.jpg"),
        ("{folder}_{stem}{ext}", "a_b_beach.jpg"),
        ("{stem}_{model}_{seed}{ext}", "beach_7.jpg"),
        ("{model}_{stem}{ext}", "beach.jpg"),
        ("{model}/{stem}{ext}", "_/beach.jpg"),
        ("{stem}{model}{ext}", "beach.jpg"),
        ("{stem}_{nope}{ext}", "beach_{nope}.jpg"),
        ("", "_"),
    ],
)
def test_a_template_is_filled_in(template: str, expected: str) -> None:
    """Values take their tokens' places; an empty one takes its separator along."""
    values = {
        "stem": "beach",
        "size": "2048x2048",
        "seed": "7",
        "ext": ".jpg",
        "rule": "art",
        "folder": "a/b",
    }

    assert expected == render(template, values)


def test_a_folder_token_of_a_file_at_the_top_makes_no_folder() -> None:
    """A file that was dropped into the inbox itself goes into the outbox itself."""
    assert "beach.jpg" == render("{folder}/{stem}{ext}", {"stem": "beach", "ext": ".jpg"})


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("{stemm}{ext}", "did you mean {stem}?"),
        ("{zzzzzz}{ext}", "there are stem, part, size,"),
        ("{stem{ext}", "a brace stands alone"),
        ("{stem}?{ext}", "may not contain"),
        ("/{stem}{ext}", "lead out of the outbox"),
        ("../{stem}{ext}", "lead out of the outbox"),
        ("a//{stem}{ext}", "a folder in the name is empty"),
        (".{stem}{ext}", "hidden"),
        ("{stem}", "must end with {ext}"),
        ("{ext}{stem}{ext}", "more than once"),
    ],
)
def test_a_faulty_template_is_explained(template: str, part: str) -> None:
    """Each fault is one sentence that says what to write instead."""
    faults = template_faults(template)

    assert 1 == len(faults)
    assert part in faults[0]


def test_all_faults_of_a_template_are_told_at_once() -> None:
    """Nobody has to run the check twice."""
    assert 4 == len(template_faults("{stme}|{model"))


@pytest.mark.parametrize(
    ("content_classes", "models", "expected"),
    [
        (False, False, "{stem}_{size}_{seed}{ext}"),
        (True, False, "{stem}_{content_class}_{size}_{seed}{ext}"),
        (False, True, "{stem}_{model}_{size}_{seed}{ext}"),
        (True, True, "{stem}_{content_class}_{model}_{size}_{seed}{ext}"),
    ],
)
def test_the_default_template_names_what_varies(
    *, content_classes: bool, models: bool, expected: str
) -> None:
    """Two orders of one drop never want the same name."""
    template = default_template(content_classes=content_classes, models=models)

    assert expected == template
    assert () == template_faults(template)


def test_a_template_may_take_the_folder_over() -> None:
    """A template that mentions the folder says itself what becomes of it."""
    assert places_folder("{folder}_{stem}{ext}")
    assert not places_folder("{stem}{ext}")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain café 日本.txt", "plain café 日本.txt"),
        ("caf\udce9.txt", "caf\\xe9.txt"),
        ("two\nlines\x1b[31m", "two\\nlines\\x1b[31m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("half \ud800 a sign", "half \\ud800 a sign"),
    ],
)
def test_odd_names_are_shown(text: str, seen: str) -> None:
    """Bytes that are no UTF-8 and controls show as escapes, once, however often they are shown."""
    assert seen == shown(text) == shown(shown(text))


def test_storable_text_keeps_its_lines() -> None:
    """A text that is to be stored loses nothing but what nobody can store."""
    assert "a\nfox \\xe9" == storable("a\nfox \udce9")
