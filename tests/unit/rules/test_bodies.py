"""What each operation sends for a drop: bodies, places of pictures, models and prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dropglow.model import DropKey, Facts, Kind, Order, Reference
from dropglow.rules.order import orders
from dropglow.rules.rule import Rule

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SCENE = "background: {image: b.png, fill_area_mask: a.png}"


@pytest.fixture
def ordered(make_rule: Callable[[str], Rule]) -> Callable[..., tuple[Order, ...]]:
    """Return a maker of orders from a rule's YAML and a drop of the rule's kind."""

    def order(text: str, *, dropped: str = "a boat") -> tuple[Order, ...]:
        rule = make_rule(text)
        prompt = Facts(kind=Kind.PROMPT, text=dropped)
        return orders(
            rule,
            drop_key=DropKey("abcdefghij"),
            path="beach.jpg",
            facts=prompt if rule.conditions.kind is Kind.PROMPT else Facts(kind=Kind.IMAGE),
            companions={"beach.txt": prompt},
            first_ordinal=1,
            now=NOW,
        )

    return order


def without_seeds(order: Order) -> dict[str, Any]:
    return {key: value for key, value in order.body.items() if key not in {"seeds", "numVariations"}}


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("similar: {size: 1024x1024}", {"size": {"width": 1024, "height": 1024}}),
        (
            (
                "fill: {mask: {source: m.png, invert: true}, prompt: sand, negative_prompt: people,"
                " prompt_biasing_locale_code: en-GB}"
            ),
            {
                "prompt": "sand",
                "negativePrompt": "people",
                "mask": {"invert": True},
                "promptBiasingLocaleCode": "en-GB",
            },
        ),
        (
            "composite: {prompt: a beach, content_class: art, placement: {inset: {left: 9}}, style: {presets: [ink]}}",
            {
                "prompt": "a beach",
                "contentClass": "art",
                "placement": {"inset": {"left": 9}},
                "style": {"presets": ["ink"]},
            },
        ),
        (
            f"precise_composite: {{{SCENE}, blend: 0, output: {{media_type: image/png}}}}",
            {"blend": 0.0, "output": {"mediaType": "image/png"}},
        ),
        (f"precise_composite: {{{SCENE}, output: {{}}}}", {}),
        (
            f"adaptive_composite: {{{SCENE}, harmonization: 0.5, shadow_intensity: 1, preserve_background: false}}",
            {"harmonization": 0.5, "shadowIntensity": 1.0, "preserveBackground": False},
        ),
        ("upscale: {upscale_factor: 4}", {"upscaleFactor": 4}),
        (
            (
                "generate: {model: image5, prompt: make it night, model_specific_payload: {prompt_reasoner: quality}}\n"
                "match: {kind: image}"
            ),
            {
                "prompt": "make it night",
                "modelSpecificPayload": {"prompt_reasoner": "quality"},
                "referenceBlobs": [{"usage": "general"}],
            },
        ),
        (
            "generate: {model: image5, aspect_ratio: '16:9', model_specific_payload: {}}",
            {"prompt": "a boat", "aspectRatio": "16:9"},
        ),
        (
            "video: {size: 1280x720, bit_rate_factor: 0, video_settings: {camera_motion: camera zoom in, shot_size: long shot}}",
            {
                "prompt": "a boat",
                "sizes": [{"width": 1280, "height": 720}],
                "bitRateFactor": 0,
                "videoSettings": {"cameraMotion": "camera zoom in", "shotSize": "long shot"},
            },
        ),
        (
            "video: {video_settings: {}}\nmatch: {kind: image}",
            {"image": {"conditions": [{"placement": {"position": 0.0}}]}},
        ),
    ],
)
def test_a_body_is_adobes(ordered: Callable[..., tuple[Order, ...]], text: Any, body: Any) -> None:
    """Keys are Adobe's, and what is not said is not there."""
    (order,) = ordered(text)

    assert body == without_seeds(order)


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("similar: {}", [Reference(slot="image.source")]),
        ("composite: {image: {sidecar: '{stem}.big.png'}}\nmatch: {kind: prompt}", [
            Reference(slot="image.source", companion="beach.big.png"),
        ]),
        ("fill: {mask: {sidecar: '{stem}.mask.png'}}", [
            Reference(slot="image.source"),
            Reference(slot="mask.source", companion="beach.mask.png"),
        ]),
        ("fill: {image: wall.jpg, mask: {invert: true}}", [
            Reference(slot="mask.source"),
            Reference(slot="image.source", path="/etc/rules/wall.jpg"),
        ]),
        ("composite: {prompt: x, mask: m.png, style: {image_reference: s.png}}", [
            Reference(slot="image.source"),
            Reference(slot="mask.source", path="/etc/rules/m.png"),
            Reference(slot="style.imageReference.source", path="/etc/rules/s.png"),
        ]),
        (f"precise_composite: {{{SCENE}}}", [
            Reference(slot="object.image.source"),
            Reference(slot="background.image.source", path="/etc/rules/b.png"),
            Reference(slot="background.fillAreaMask.source", path="/etc/rules/a.png"),
        ]),
        ("adaptive_composite: {background: {fill_area_mask: a.png}, object: {image: o.png, mask: m.png}}", [
            Reference(slot="background.image.source"),
            Reference(slot="background.fillAreaMask.source", path="/etc/rules/a.png"),
            Reference(slot="object.image.source", path="/etc/rules/o.png"),
            Reference(slot="object.mask.source", path="/etc/rules/m.png"),
        ]),
        ("generate: {model: image5, reference_blobs: [{source: r.png}]}", [
            Reference(slot="referenceBlobs.0.source", path="/etc/rules/r.png"),
        ]),
        ("generate: {model: image5, image: {sidecar: '{stem}.png'}}", [
            Reference(slot="referenceBlobs.0.source", companion="beach.png"),
        ]),
        ("video: {image: {source: first.png}}", [Reference(slot="image.conditions.0.source", path="/etc/rules/first.png")]),
        (
            "video: {image: {conditions: [{source: a.png, placement: {position: 0}}, {placement: {position: 1}}]}}",
            [
                Reference(slot="image.conditions.1.source"),
                Reference(slot="image.conditions.0.source", path="/etc/rules/a.png"),
            ],
        ),
    ],
)  # fmt: skip
def test_every_picture_has_its_place(
    ordered: Callable[..., tuple[Order, ...]], text: Any, references: Any
) -> None:
    """The drop goes to the first place that no other picture fills."""
    (order,) = ordered(text)

    assert references == list(order.references)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("similar: {models: [image3, image4_ultra], sizes: [1024x1024, 2048x2048]}", 4),
        ("composite: {prompt: x, content_classes: [art, photo], sizes: [1024x1024, 2048x2048]}", 4),
        ("fill: {mask: m.png, sizes: [1024x1024, 2048x2048]}", 2),
        ("video: {sizes: [1280x720, 720x1280]}", 2),
        (f"precise_composite: {{{SCENE}, variations: 3}}", 1),
    ],
)
def test_lists_multiply_into_jobs(ordered: Callable[..., tuple[Order, ...]], text: Any, count: Any) -> None:
    """Sizes, classes and models do; variations are results of one job."""
    assert count == len(ordered(text))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("similar: {}", "2048x2048"),
        ("composite: {prompt: x, size: 1024x1024}", "1024x1024"),
        ("upscale: {}", ""),
        (f"precise_composite: {{{SCENE}}}", ""),
        ("generate: {model: image5}", ""),
        ("video: {size: 720x720}", "720x720"),
        ("video: {}", ""),
    ],
)
def test_a_size_is_told_where_it_is_known(
    ordered: Callable[..., tuple[Order, ...]], text: Any, size: Any
) -> None:
    """Adobe's default is documented for some; elsewhere the picture gives the size."""
    (order,) = ordered(text)

    assert size == order.size


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("similar: {variations: 3}", 3),
        ("upscale: {variations: 2}", 2),
        (f"adaptive_composite: {{{SCENE}, variations: 3}}", 3),
        ("generate: {model: image5}", 1),
        ("video: {size: 960x540}", 2),
        ("video: {size: 540x540}", 2),
        ("video: {size: 1280x720}", 5),
        ("video: {size: 1080x1920}", 10),
        ("video: {size: 4000x4000}", 10),
        ("video: {}", 10),
    ],
)
def test_a_price_is_in_operations_as_adobe_counts_them(
    ordered: Callable[..., tuple[Order, ...]], text: Any, images: Any
) -> None:
    """A picture is one; a clip of five seconds costs by its lines, and the dearest where they are unknown."""
    (order,) = ordered(text)

    assert images == order.images


@pytest.mark.parametrize(
    ("text", "model", "path"),
    [
        ("similar: {model: image4_standard}", "image4_standard", "image4_standard"),
        ("similar: {}", None, "image3"),
        ("upscale: {}", None, "precise_upsampler_v1"),
        ("upscale: {model: other}", "other", "other"),
        ("video: {}", "video1_standard", "video1_standard"),
        ("video: {model: video2}", "video2", "video2"),
        ("fill: {mask: m.png}", None, "fill"),
    ],
)
def test_the_model_is_sent_where_it_is_said_or_needed(
    ordered: Callable[..., tuple[Order, ...]], text: Any, model: Any, path: Any
) -> None:
    """Adobe asks for it with clips; elsewhere it has a default, by which results are named."""
    (order,) = ordered(text)

    assert (model, path) == (order.model, order.tokens["model"])


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("upscale: {variations: 2}", ["seeds"]),
        ("video: {}", ["seeds"]),
        ("similar: {}", ["numVariations", "seeds"]),
    ],
)
def test_results_are_counted_as_the_operation_counts_them(
    ordered: Callable[..., tuple[Order, ...]], text: Any, keys: Any
) -> None:
    """Seeds are always sent; their number only where Adobe has a key for it."""
    (order,) = ordered(text)

    assert keys == sorted({"numVariations", "seeds"} & order.body.keys())
    assert order.results == len(order.body["seeds"])


def test_a_prompt_beside_the_picture_is_its_prompt(ordered: Callable[..., tuple[Order, ...]]) -> None:
    """``beach.txt`` says what to paint around ``beach.jpg``."""
    (order,) = ordered("expand: {prompt: {sidecar: '{stem}.txt'}}", dropped="a boat")

    assert "a boat" == order.body["prompt"]
    assert (Reference(slot="image.source"),) == order.references


def test_an_empty_prompt_beside_the_picture_is_none(ordered: Callable[..., tuple[Order, ...]]) -> None:
    """Where Adobe needs no prompt, the picture is enough."""
    (order,) = ordered("video: {prompt: {sidecar: '{stem}.txt'}}\nmatch: {kind: image}", dropped="")

    assert "prompt" not in order.body


def test_lines_beside_the_picture_are_jobs_of_their_own(
    ordered: Callable[..., tuple[Order, ...]],
) -> None:
    """Three scenes for one picture are three orders, each with its number."""
    made = ordered("composite: {prompt: {sidecar: '{stem}.txt'}}\nsplit: lines", dropped="a\n\nb\nc")

    assert [("a", "1"), ("b", "2"), ("c", "3")] == [(order.prompt, order.tokens["part"]) for order in made]


def test_a_dropped_link_is_a_picture(ordered: Callable[..., tuple[Order, ...]]) -> None:
    """An address in front matter stands for a file, and is kept nowhere in the order."""
    text = '---\nimage: "https://b.s3.amazonaws.com/a.png?X-Amz-Signature=secret"\n---'
    (order,) = ordered("upscale: {}\nmatch: {kind: prompt}", dropped=text)

    assert (Reference(slot="image.source", linked=True),) == order.references
    assert "secret" not in repr(order)
