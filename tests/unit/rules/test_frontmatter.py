"""Front matter: what a prompt file may say before its prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dropglow.errors import SourceFault
from dropglow.rules.expand import Expand
from dropglow.rules.frontmatter import addresses, divided, overridden
from dropglow.rules.precise_composite import PreciseComposite
from dropglow.rules.rule import Rule
from dropglow.rules.units import Size


@pytest.mark.parametrize(
    ("text", "front", "body"),
    [
        ("a boat", None, "a boat"),
        ("---\nsize: 1x1\n---\n\na boat\n", "size: 1x1", "a boat"),
        ("---\n---\na boat", "", "a boat"),
        ("---  \na: 1\n---\t\nb", "a: 1", "b"),
        ("--\na boat", None, "--\na boat"),
        ("a boat\n---\nat sea", None, "a boat\n---\nat sea"),
        ("---\nsize: 1x1\n---", "size: 1x1", ""),
        ("", None, ""),
    ],
)
def test_a_prompt_file_is_divided(text: Any, front: Any, body: Any) -> None:
    """Front matter stands between the first line and the next that are three dashes."""
    parts = divided(text)

    assert front == parts.front
    assert body == parts.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("---\nvariations: 2\na boat", "the front matter is never closed: the first line is ---"),
        ("---", "the front matter is never closed"),
        ("---\n ---\na boat", "the front matter is never closed"),
        ("----\na boat\n----", "the first line begins with --- and has more on it"),
        ("--- a boat\n---\n---", "the first line begins with --- and has more on it"),
    ],
)
def test_dashes_that_are_no_front_matter_are_a_fault(text: Any, words: Any) -> None:
    """Half a front matter is never taken for a prompt, which would cost money."""
    parts = divided(text)

    assert parts.fault is not None
    assert words in parts.fault
    assert "" == parts.text


def test_front_matter_goes_before_the_rule(make_rule: Callable[[str], Rule]) -> None:
    """What the drop says replaces what the rule says; the rest stays."""
    parameters = make_rule("generate: {content_class: art, variations: 2}").parameters

    merged = overridden(parameters, "variations: 3")

    assert 3 == merged.count
    assert "art" == merged.variants()[0].content_class


def test_front_matter_replaces_either_spelling(make_rule: Callable[[str], Rule]) -> None:
    """One size of the drop goes before the rule's list of sizes."""
    parameters = make_rule("generate: {sizes: [2048x2048, 2304x1792], num_variations: 2}").parameters

    merged = overridden(parameters, "size: 1024x1024\nvariations: 1")

    assert [Size(width=1024, height=1024)] == [variant.size for variant in merged.variants()]
    assert 1 == merged.count


def test_blocks_are_laid_over_each_other(make_rule: Callable[[str], Rule]) -> None:
    """A drop may change one thing of a style and keep the rest."""
    parameters = make_rule("generate: {style: {image_reference: a.png, strength: 20}}").parameters

    merged = overridden(parameters, "style: {strength: 90}")

    assert {
        "presets": None,
        "image_reference": "/etc/rules/a.png",
        "strength": 90,
    } == merged.model_dump()["style"]


@pytest.mark.parametrize("front", ["", "# nothing"])
def test_empty_front_matter_changes_nothing(make_rule: Callable[[str], Rule], front: Any) -> None:
    """Two lines of dashes with nothing between them are no fault."""
    parameters = make_rule("generate: {}").parameters

    assert parameters is overridden(parameters, front)


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("size: 1x1\npromt: x", "line 3: unknown key promt; did you mean prompt?"),
        ("size: 1x1\nvariations: 9", "line 3: variations should be at most 4, not 9"),
        ("a: [", "line 2: this is not YAML"),
        ("just words", "line 2: the file should be a block of keys"),
        ("seeds: [1, 2]\nvariations: 3", "line 2: seeds has 2 for 3 variations"),
        ("style: {image_reference: /etc/passwd}", "can only stand in the rule"),
        ("style: {image_reference: {sidecar: '{stem}.png'}}", "can only stand in the rule"),
        (
            "style: {image_reference: 'https://evil.example/a'}",
            "Adobe does not read from that host, but from",
        ),
        ("prompt: {sidecar: '{stem}.txt'}", "prompt: a file can only stand in the rule"),
    ],
)
def test_front_matter_with_faults_is_refused_with_its_lines(
    make_rule: Callable[[str], Rule], front: Any, words: Any
) -> None:
    """The owner of the file learns the line of the file."""
    with pytest.raises(SourceFault) as caught:
        overridden(make_rule("generate: {}").parameters, front)

    assert words in caught.value.message
    assert "drop the file again" in caught.value.hint


def test_front_matter_tells_all_its_faults_at_once(make_rule: Callable[[str], Rule]) -> None:
    """Whoever mends the file mends it once."""
    with pytest.raises(SourceFault) as caught:
        overridden(
            make_rule("generate: {}").parameters,
            "size: 9999x1\nsizes: [1x1]\nseeds: [1, 2]\nvariations: 3\nstyle: {image_reference: a.png}",
        )

    for words in (
        "line 2: size should be between",
        "line 2: give sizes or size, not both",
        "line 4: seeds has 2 for 3 variations",
        "line 6: image_reference: a file can only stand in the rule",
    ):
        assert words in caught.value.message


def test_words_are_no_truths_in_front_matter(make_rule: Callable[[str], Rule]) -> None:
    """``on`` and ``yes`` are words here as everywhere."""
    with pytest.raises(SourceFault, match="write true or false"):
        overridden(make_rule("expand: {mask: a.png}").parameters, "mask: {invert: yes}")


def test_front_matter_reads_no_environment(make_rule: Callable[[str], Rule]) -> None:
    """Whoever drops a file learns nothing of the daemon's environment."""
    merged = overridden(make_rule("generate: {}").parameters, "negative_prompt: ${HOME}")

    assert "${HOME}" == merged.model_dump()["negative_prompt"]


LINK = "https://b.s3.amazonaws.com/a.png?X-Amz-Signature=0"


def test_an_address_in_front_matter_is_a_picture(make_rule: Callable[[str], Rule]) -> None:
    """It fills the place of its parameter; a mask may be written shortly here too."""
    parameters = make_rule("expand: {}\nmatch: {kind: prompt}").parameters

    merged = overridden(parameters, f'image: "{LINK}"\nmask: "{LINK}"')

    assert {"image.source": LINK, "mask.source": LINK} == {
        picture.slot: picture.source.url for picture in merged.pictures()
    }


@pytest.mark.parametrize(
    ("rule", "slot"),
    [
        ("generate: {model: image5}", "referenceBlobs.0.source"),
        ("generate: {model: image5, reference_blobs: [{source: a.png}]}", "referenceBlobs.0.source"),
        ("video: {}", "image.conditions.0.source"),
        ("similar: {}\nmatch: {kind: prompt}", "image.source"),
    ],
)
def test_an_image_in_front_matter_is_the_picture_of_most_operations(
    make_rule: Callable[[str], Rule], rule: Any, slot: Any
) -> None:
    """Whoever drops a link need not know what Adobe calls its place."""
    (picture,) = overridden(make_rule(rule).parameters, f'image: "{LINK}"').pictures()

    assert (slot, LINK) == (picture.slot, picture.source.url)


def test_addresses_are_found_again_by_their_slots() -> None:
    """They are read where they stand when they are needed, and kept nowhere."""
    front = f'background: {{image: "{LINK}"}}\nseeds: [1]'

    assert {"background.image.source": LINK} == addresses(PreciseComposite, front)
    assert {} == addresses(Expand, "")


def test_a_composite_may_read_from_more_hosts(make_rule: Callable[[str], Rule]) -> None:
    """Adobe names more domains for some operations."""
    link = "https://assets.frame.io/a.png"
    composite = make_rule("precise_composite: {}\nmatch: {kind: prompt}").parameters
    expand = make_rule("expand: {}\nmatch: {kind: prompt}").parameters

    assert overridden(composite, f'background: {{image: "{link}"}}').pictures()
    with pytest.raises(SourceFault, match="Adobe does not read from that host"):
        overridden(expand, f'image: "{link}"')
