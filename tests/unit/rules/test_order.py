"""Orders: complete requests with their price, rendered from a rule and a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dropglow.errors import SourceFault
from dropglow.model import DropKey, Facts, JobKey, Kind, Reference
from dropglow.rules.order import chosen_seeds, orders, price
from dropglow.rules.rule import Rule

NOW = datetime(2026, 11, 22, 17, 5, 9, tzinfo=UTC)
PHOTO = Facts(kind=Kind.IMAGE)


def render(
    rule: Any, facts: Any, *, path: Any = "sub/beach.jpg", first_ordinal: Any = 1, beside: Any = None
) -> Any:
    return orders(
        rule,
        drop_key=DropKey("abcdefghij"),
        path=path,
        facts=facts,
        companions={"sub/beach.txt": beside} if beside else {},
        first_ordinal=first_ordinal,
        now=NOW,
    )


def prompt(text: Any) -> Any:
    return Facts(kind=Kind.PROMPT, text=text)


def test_sizes_classes_and_models_multiply(make_rule: Callable[[str], Rule]) -> None:
    """Each combination is an order of its own, and the price counts every picture."""
    rule = make_rule(
        "generate: {sizes: [2048x2048, 2304x1792], content_classes: [art, photo],"
        " models: [image3, image4_standard], variations: 2}"
    )

    made = render(rule, prompt("a boat"))

    assert 8 == len({(order.size, order.body["contentClass"], order.model) for order in made})
    assert 16 == price(rule, prompt("a boat"))
    assert 16 == sum(order.images for order in made)


def test_a_generate_body_is_adobes(make_rule: Callable[[str], Rule]) -> None:
    """Keys are Adobe's, numbers are numbers, what is not said is not there."""
    rule = make_rule("generate: {size: 1024x1024, seeds: [7], style: {presets: [bokeh]}}")

    (order,) = render(rule, prompt("a boat"))

    assert {
        "prompt": "a boat",
        "size": {"width": 1024, "height": 1024},
        "style": {"presets": ["bokeh"]},
        "numVariations": 1,
        "seeds": [7],
    } == order.body
    assert order.model is None
    assert () == order.references


def test_an_expand_body_is_adobes(make_rule: Callable[[str], Rule]) -> None:
    """The drop itself is the image; its slot is filled once it is uploaded."""
    rule = make_rule("expand: {size: 3000x2000, placement: {alignment: {horizontal: left}, inset: {top: 5}}}")

    (order,) = render(rule, PHOTO)

    assert {"alignment": {"horizontal": "left"}, "inset": {"top": 5}} == order.body["placement"]
    assert "prompt" not in order.body
    assert (Reference(slot="image.source", path=None),) == order.references


def test_a_mask_is_a_reference_of_its_own(make_rule: Callable[[str], Rule]) -> None:
    """The mask's file is uploaded; its size is the result's, so that none is claimed."""
    rule = make_rule("expand: {mask: {source: m.png, invert: true}, prompt: sand}")

    (order,) = render(rule, PHOTO)

    assert {"invert": True} == order.body["mask"]
    assert Reference(slot="mask.source", path="/etc/rules/m.png") in order.references
    assert "" == order.size
    assert "" == order.tokens["width"]


def test_a_mask_may_be_just_a_path(make_rule: Callable[[str], Rule]) -> None:
    """The short form means its source."""
    (order,) = render(make_rule("expand: {mask: m.png}"), PHOTO)

    assert "mask" not in order.body
    assert "mask.source" == order.references[1].slot


def test_style_and_structure_refer_to_files(make_rule: Callable[[str], Rule]) -> None:
    """Reference pictures have slots, and their strengths are in the body."""
    rule = make_rule(
        "generate: {style: {image_reference: s.png}, structure: {image_reference: t.png, strength: 0}}"
    )

    (order,) = render(rule, prompt("a boat"))

    assert "style" not in order.body
    assert {"strength": 0} == order.body["structure"]
    assert ["style.imageReference.source", "structure.imageReference.source"] == [
        reference.slot for reference in order.references
    ]


def test_without_a_size_adobes_default_is_named(make_rule: Callable[[str], Rule]) -> None:
    """The request leaves the size to Adobe, the result's name does not."""
    (order,) = render(make_rule("expand: {}"), PHOTO)

    assert "size" not in order.body
    assert "2048x2048" == order.size


def test_names_can_use_what_is_known_already(make_rule: Callable[[str], Rule]) -> None:
    """Tokens of the order are there before the result is."""
    (order,) = render(make_rule("generate: {content_class: art}"), prompt("a boat"), first_ordinal=3)

    assert {
        "stem": "beach",
        "folder": "sub",
        "part": "",
        "size": "2048x2048",
        "width": "2048",
        "height": "2048",
        "content_class": "art",
        "model": "image3",
        "rule": "test",
        "date": "2026-11-22",
        "time": "170509",
        "job": "abcdefghij.3",
        "drop": "abcdefghij",
    } == order.tokens


def test_an_operation_without_models_is_named_itself(make_rule: Callable[[str], Rule]) -> None:
    """The token for the model is never a lie."""
    (order,) = render(make_rule("expand: {}"), PHOTO)

    assert "expand" == order.tokens["model"]


def test_sub_folders_are_mirrored_safely(make_rule: Callable[[str], Rule]) -> None:
    """The result's folder is the drop's, made safe."""
    (order,) = render(make_rule("expand: {}"), PHOTO, path="a/b:c/d.jpg")

    assert "a/b_c" == order.delivery.folder


def test_a_template_with_folders_places_results_itself(make_rule: Callable[[str], Rule]) -> None:
    """``{folder}`` in the template replaces the mirroring."""
    rule = make_rule('expand: {}\ndelivery: {name: "{folder}/{stem}{ext}", mode: "0640", sidecar: true}')

    (order,) = render(rule, PHOTO)

    assert "" == order.delivery.folder
    assert 0o640 == order.delivery.mode
    assert order.delivery.sidecar


def test_seeds_follow_from_the_job(make_rule: Callable[[str], Rule]) -> None:
    """The same job asks for the same picture again, another job for another."""
    rule = make_rule("generate: {variations: 4}")

    (once,), (again,) = render(rule, prompt("a boat")), render(rule, prompt("a boat"))
    (other,) = render(rule, prompt("a boat"), first_ordinal=2)

    assert once == again
    assert 4 == len(set(once.seeds))
    assert once.seeds != other.seeds
    assert all(0 <= seed < 2**31 for seed in once.seeds)


def test_chosen_seeds_are_few_or_many() -> None:
    """More seeds begin with the same ones."""
    assert chosen_seeds(JobKey("a.1"), count=4)[:2] == chosen_seeds(JobKey("a.1"), count=2)


def test_a_rules_prompt_wraps_the_dropped_one(make_rule: Callable[[str], Rule]) -> None:
    """The dropped text stands where the rule says, braces and all."""
    (order,) = render(make_rule('generate: {prompt: "A {text}, {stem}"}'), prompt("{text} boat"))

    assert "A {text} boat, {stem}" == order.prompt


def test_front_matter_changes_the_orders(make_rule: Callable[[str], Rule]) -> None:
    """A drop may ask for another number of pictures."""
    facts = prompt("---\nvariations: 3\n---\na boat")

    (order,) = render(make_rule("generate: {}"), facts)

    assert 3 == order.images == price(make_rule("generate: {}"), facts)
    assert "a boat" == order.prompt


def test_front_matter_alone_may_give_the_prompt(make_rule: Callable[[str], Rule]) -> None:
    """A file that is all front matter is a prompt if it says one."""
    (order,) = render(make_rule('generate: {prompt: "A {text}"}'), prompt("---\nprompt: a boat\n---"))

    assert "a boat" == order.prompt


def test_two_prompts_in_one_file_are_refused(make_rule: Callable[[str], Rule]) -> None:
    """It would be unclear which one is meant."""
    with pytest.raises(SourceFault, match="gives a prompt, and so does the text"):
        render(make_rule("generate: {}"), prompt("---\nprompt: a boat\n---\na house"))


@pytest.mark.parametrize("text", ["", "---\nvariations: 1\n---\n", None])
@pytest.mark.parametrize("rule", ["generate: {}", 'generate: {prompt: "A {text}"}'])
def test_an_empty_prompt_is_refused(make_rule: Callable[[str], Rule], rule: Any, text: Any) -> None:
    """Nothing is bought for an empty prompt."""
    with pytest.raises(SourceFault, match="the prompt is empty"):
        render(make_rule(rule), prompt(text))


def test_front_matter_that_is_never_closed_buys_nothing(make_rule: Callable[[str], Rule]) -> None:
    """The dashes, and what was meant as parameters, are not sent as a prompt."""
    with pytest.raises(SourceFault, match="the front matter is never closed") as caught:
        render(make_rule("generate: {}"), prompt("---\nvariations: 2\na boat"))

    assert "write a second line ---" in caught.value.hint


def test_a_prompt_that_is_too_long_is_refused_with_its_length(make_rule: Callable[[str], Rule]) -> None:
    """The limit is Adobe's; the message says how much is too much."""
    with pytest.raises(SourceFault, match=r"1,500 characters; Firefly reads at most 1,024") as caught:
        price(make_rule("generate: {}"), prompt("x" * 1500))

    assert "so it is 476 too many" in caught.value.message


def test_a_prompt_of_just_the_limit_is_ordered(make_rule: Callable[[str], Rule]) -> None:
    """The limit itself is allowed; characters count, not bytes."""
    (order,) = render(make_rule("generate: {}"), prompt("ü" * 1024))

    assert 1024 == len(order.body["prompt"])


def test_a_faulty_file_orders_nothing(make_rule: Callable[[str], Rule]) -> None:
    """What the look inside found wrong is what the owner reads."""
    with pytest.raises(SourceFault, match="the picture is cut off"):
        render(make_rule("expand: {}"), Facts(kind=Kind.IMAGE, fault="the picture is cut off"))


def test_a_faulty_companion_orders_nothing(make_rule: Callable[[str], Rule]) -> None:
    """A prompt beside the picture that cannot be read is no empty prompt."""
    with pytest.raises(SourceFault, match="this is no UTF-8"):
        render(
            make_rule("expand: {prompt: {sidecar: '{stem}.txt'}}"),
            PHOTO,
            beside=Facts(kind=Kind.PROMPT, fault="this is no UTF-8"),
        )


@pytest.mark.parametrize(
    ("rule", "text", "words"),
    [
        (
            "generate: {}\nsplit: lines",
            "a\n\n" + "x" * 1025,
            "line 3: the prompt is too long: 1,025 characters",
        ),
        (
            "generate: {}",
            "x" * 1025,
            "the prompt is too long: 1,025 characters; Firefly reads at most 1,024, so it is 1",
        ),
        ("generate: {prompt: 'A {text}'}", "x" * 1023, "the prompt is too long: 1,025 characters"),
        ("generate: {}", "---\nvariations: 1\n---\n\n" + "x" * 1025, "line 5: the prompt is too long"),
        ("similar: {}\nmatch: {kind: prompt}", "more of these", "this operation reads no prompt"),
        ("precise_composite: {}\nmatch: {kind: prompt}", "in the sun", "this operation reads no prompt"),
        ("upscale: {}\nmatch: {kind: prompt}", "larger", "this operation reads no prompt"),
        (
            "generate: {model: image3}",
            "---\nmodel: image5\n---\n" + "x" * 1501,
            "Firefly reads at most 1,500",
        ),
    ],
)
def test_a_prompt_that_cannot_be_sent_is_refused_with_its_line(
    make_rule: Callable[[str], Rule], rule: Any, text: Any, words: Any
) -> None:
    """The owner of the file reads which of its lines is meant."""
    with pytest.raises(SourceFault) as caught:
        render(make_rule(rule), prompt(text))

    assert words in caught.value.message


def test_a_file_that_asks_for_too_much_is_refused(make_rule: Callable[[str], Rule]) -> None:
    """Ten thousand lines are a log file more often than a wish."""
    rule = make_rule("generate: {sizes: [2048x2048, 2304x1792]}\nsplit: lines")

    with pytest.raises(SourceFault, match="asks for 5,002 jobs, and one file may ask for 5,000"):
        render(rule, prompt("a\n" * 2501))


def test_a_file_may_ask_for_as_many_jobs_as_that(make_rule: Callable[[str], Rule]) -> None:
    """The limit itself is allowed."""
    rule = make_rule("generate: {sizes: [2048x2048, 2304x1792]}\nsplit: lines")

    assert 5000 == len(render(rule, prompt("a\n" * 2500)))


def test_numbers_of_parts_sort_as_they_are_written(make_rule: Callable[[str], Rule]) -> None:
    """Ten prompts have two digits each."""
    made = render(make_rule("generate: {}\nsplit: lines"), prompt("a\n" * 10))

    assert ["01", "02", "10"] == [made[place].tokens["part"] for place in (0, 1, 9)]


@pytest.mark.parametrize(
    ("rule", "words", "yaml"),
    [
        ("expand: {}\nmatch: {kind: prompt}", "names no picture for image", "`image: https://…`"),
        ("fill: {image: a.png}\nmatch: {kind: prompt}", "names no picture for mask", "`mask: https://…`"),
        (
            "adaptive_composite: {object: {image: a.png}}\nmatch: {kind: prompt}",
            "names no picture for background.image",
            "`background: {image: https://…}`",
        ),
    ],
)
def test_a_prompt_file_without_its_picture_is_refused(
    make_rule: Callable[[str], Rule], rule: Any, words: Any, yaml: Any
) -> None:
    """The owner of the file reads what to write, and where."""
    with pytest.raises(SourceFault) as caught:
        render(make_rule(rule), prompt(""))

    assert words in caught.value.message
    assert yaml in caught.value.hint


@pytest.mark.parametrize(
    ("rule", "front", "words"),
    [
        (
            "expand: {prompt: {sidecar: '{stem}.txt'}}",
            'image: "https://b.s3.amazonaws.com/a.png"',
            "image is said, so that a dropped picture has no place",
        ),
        (
            "generate: {model: image5, prompt: {sidecar: '{stem}.txt'}}\nmatch: {kind: image}",
            "model: image3",
            "takes prompts, and no pictures",
        ),
        (
            "generate: {model: image5, prompt: {sidecar: '{stem}.txt'}}\nmatch: {kind: image}",
            "aspect_ratio: '16:9'",
            "aspect_ratio follows from the picture",
        ),
    ],
)
def test_words_beside_a_picture_cannot_take_its_place(
    make_rule: Callable[[str], Rule], rule: Any, front: Any, words: Any
) -> None:
    """A dropped picture is used, or nothing is ordered."""
    with pytest.raises(SourceFault) as caught:
        render(make_rule(rule), PHOTO, beside=prompt(f"---\n{front}\n---\na boat"))

    assert "the front matter beside this picture cannot be used" in caught.value.message
    assert words in caught.value.message
