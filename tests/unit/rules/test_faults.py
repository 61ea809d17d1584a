"""What an operator reads about a rule that is not right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dropglow.rules.configuration import ConfigurationShape
from dropglow.rules.contradictions import contradictions
from dropglow.rules.positions import parse
from dropglow.rules.review import review, unknown_key
from dropglow.rules.schema import RuleShape, RulesShape


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # keys
        ("generate: {promt: x}", "unknown key promt; did you mean prompt?"),
        ("generate: {}\nsizes: []", "unknown key sizes here; it belongs inside generate"),
        ("generate: {}\nqwertz: 1", "unknown key qwertz; known here: name, inbox"),
        ("generate: {style: {preset: x}}", "unknown key preset; did you mean presets?"),
        # kinds of values
        ("generate: 5", "generate should be a block of keys, not 5"),
        ("generate: {negative_prompt: 5}", "negative_prompt should be text, not 5; put it in quotes"),
        ("generate: {negative_prompt: [a]}", "negative_prompt should be text, not a list"),
        ("generate: {variations: many}", "variations should be a whole number, not 'many'"),
        ("generate: {variations: true}", "variations should be a whole number, not true"),
        ("generate: {variations: 1.5}", "variations should be a whole number, not 1.5"),
        ("generate: {variations: []}", "variations should be a whole number, not a list"),
        ("generate: {}\nalso: maybe", "also should be true or false, not 'maybe'"),
        (
            "generate: {}\nalso: on",
            "also should be true or false, not 'on': write true or false, without quotes",
        ),
        ("generate: {}\nalso: 'true'", "write true or false, without quotes"),
        ("generate: {}\nalso:", "also should be true or false, not empty"),
        ("generate: {}\nalso: 1", "also should be true or false, not 1"),
        ("generate: {}\nsidecar: yes", "sidecar should be true or false, not 'yes'"),
        ("generate: {}\ndelivery: {sidecar: off}", "sidecar should be true or false, not 'off'"),
        ("expand: {mask: {source: a.png, invert: y}}", "invert should be true or false, not 'y'"),
        (
            "generate: {}\nbudget: {per_day: 1.5}",
            "per_day should be a number of images like 100, or 100 operations, or off, not 1.5",
        ),
        ("generate: {}\nbudget: 0", "budget should be a block of keys, not 0"),
        ("generate: {}\nalso: []", "also should be true or false, not a list"),
        ("generate: {sizes: 2048x2048}", "sizes should be a list, not '2048x2048'"),
        # bounds
        ("generate: {variations: 5}", "variations should be at most 4, not 5"),
        ("generate: {visual_intensity: 1}", "visual_intensity should be at least 2, not 1"),
        ("generate: {style: {strength: 0}}", "strength should be more than 0, not 0"),
        ("generate: {seeds: [1, 2, 3, 4, 5]}", "seeds may have at most 4 entries, not 5"),
        ("generate: {seeds: [1, 2, 1]}", "seeds should not hold 1 twice"),
        ("generate: {sizes: []}", "sizes should not be empty"),
        ('generate: {custom_model_id: ""}', "custom_model_id should not be empty"),
        (f"expand: {{prompt: {'x' * 1500}}}", "prompt may have at most 1,024 characters, not 1,500"),
        ("expand: {size: 4000x10}", "size should be between 1x1 and 3999x3999, not 4000x10"),
        ("generate: {}\nrescan: 0s", "rescan should be at least 10ms"),
        # words
        (
            "generate: {content_class: foto}",
            "content_class should be photo or art, not 'foto'; did you mean photo?",
        ),
        ("generate: {content_class: 7}", "content_class should be photo or art, not 7"),
        ("generate: {prompt_biasing_locale_code: english}", "is not written as it should be: 'english'"),
        (
            "expand: {}\nmatch: {formats: [heic]}",
            "formats should be jpeg, png, webp, tiff, jxl, gif, bmp or avif, not 'heic'",
        ),
        ("expand: {}\nmatch: {orientation: wide}", "orientation should be landscape, portrait or square"),
        ("expand: {}\nmatch: {orientation: []}", "orientation should not be empty"),
        (
            "expand: {}\nmatch: {formats: [7]}",
            "formats should be jpeg, png, webp, tiff, jxl, gif, bmp or avif, not 7",
        ),
        ("expand: {}\nmatch: {name: 'a\\b'}", "name should have / between folders"),
        ("generate: {}\nmatch: {text: '('}", "text is no regular expression"),
        (
            "generate: {model: image5, aspect_ratio: '16:9', prompt: x}\nmatch: {kind: image}",
            "aspect_ratio follows from the picture that is edited",
        ),
        (
            "generate: {model: image5, reference_blobs: [{usage: general}]}\nmatch: {kind: prompt}",
            "reference_blobs.0 has no source, which stands for a dropped picture",
        ),
        (
            "generate: {model: image5, prompt: x, image: a.png}\nmatch: {kind: image}",
            "image is said, so that a dropped picture has no place",
        ),
        ("generate: {image: a.png}", "image belongs to the model image5"),
        (
            "generate: {model: image5, image: a.png, aspect_ratio: '1:1'}",
            "aspect_ratio follows from the picture",
        ),
        (
            "generate: {model: image5, image: a.png, reference_blobs: [{source: a.png}]}",
            "give reference_blobs or image, not both",
        ),
        ("generate: {model: image5}\nmatch: {kind: image}", "generate needs a prompt beside the picture"),
        ("generate: {model: image5, size: 2048x2048}", "size is not possible with image5"),
        ("generate: {model: image5, variations: 2}", "image5 makes one picture at a time"),
        ("generate: {model: image5, seeds: [1, 2]}", "image5 makes one picture at a time"),
        (
            "generate: {model: image5, reference_blobs: [{source: x.png}], aspect_ratio: '1:1'}",
            "aspect_ratio follows from the picture that is edited",
        ),
        ("generate: {models: [image3, image5]}", "give it a rule of its own, as model: image5"),
        ("generate: {aspect_ratio: '1:1'}", "aspect_ratio belongs to the model image5"),
        # operations on pictures
        ("fill: {}", "fill needs a picture for mask: a path, or a sidecar"),
        ("fill: {mask: {invert: true}}", "fill needs a picture for mask: a path, or a sidecar"),
        ("fill: {image: a.png, mask: m.png}", "image is said, so that a dropped picture has no place"),
        ("composite: {}", "composite needs a prompt beside the picture: write one"),
        (
            "composite: {prompt: a beach, mask: m.png, placement: {}}",
            "placement cannot be used together with a mask",
        ),
        (
            "composite: {mask: {source: m.png, invert: true}, prompt: x}",
            "mask should be the path of a picture",
        ),
        (
            "precise_composite: {background: {image: a.png}}",
            "precise_composite needs a picture for background.fill_area_mask: a path, or a sidecar",
        ),
        (
            "precise_composite: {background: {fill_area_mask: a.png}, object: {image: o.png}, blend: 2}",
            "blend should be a number from 0 to 1, not 2",
        ),
        (
            "precise_composite: {background: {image: b.png, fill_area_mask: a.png}, variations: 4}",
            "variations: one request makes at most 3 results here, not 4",
        ),
        (
            "precise_composite: {background: {image: b.png, fill_area_mask: a.png}, object: {mask: m.png}}",
            "unknown key mask; known here: image",
        ),
        (
            "adaptive_composite: {background: {image: b.png, fill_area_mask: a.png}, harmonization: true}",
            "harmonization should be a number from 0 to 1, not true",
        ),
        (
            "adaptive_composite: {background: {image: b.png, fill_area_mask: a.png}, object: {image: o.png}}",
            "background.image is said, so that a dropped picture has no place",
        ),
        (
            "adaptive_composite: {background: {image: b.png, fill_area_mask: a.png}, output: {media_type: gif}}",
            "media_type should be image/png, image/jpeg, image/webp or image/jxl, not 'gif'",
        ),
        ("similar: {prompt: x}", "unknown key prompt; known here"),
        ("similar: {size: 2048x2048, sizes: [1024x1024]}", "give sizes or size, not both"),
        ("similar: {model: image3, models: [image3]}", "give models or model, not both"),
        ("upscale: {upscale_factor: 5}", "upscale_factor should be 2, 3, 4 or 6, not 5"),
        ("upscale: {}\nmatch: {kind: prompt, formats: [png]}", "formats cannot be asked of kind prompt"),
        # clips
        ("video: {seeds: [1, 2]}", "seeds: one request makes at most 1 result here, not 2"),
        ("video: {size: 9000x10}", "size should be between 1x1 and 8192x8192, not 9000x10"),
        ("video: {bit_rate_factor: 64}", "bit_rate_factor should be at most 63, not 64"),
        (
            "video: {video_settings: {camera_motion: zoom in}}",
            "not 'zoom in'; did you mean camera zoom in?",
        ),
        ("video: {image: {conditions: []}}", "conditions should not be empty"),
        (
            "video: {image: {conditions: [{source: a.png}]}}\nmatch: {kind: prompt}",
            "say when this picture is seen",
        ),
        (
            "video: {image: {conditions: [{source: a.png, placement: {}}]}}",
            "say when this picture is seen",
        ),
        (
            "video: {image: {conditions: [{placement: {position: 0}}, {placement: {position: 1}}]}}",
            "video needs a picture for image.conditions.1: a path, or a sidecar",
        ),
        (
            "video: {image: {conditions: [{source: a.png, placement: {position: 0}}]}}\nmatch: {kind: image}",
            "video takes prompts here, and no pictures",
        ),
        (
            "video: {image: {conditions: [{placement: {position: 0}}]}}\nmatch: {kind: prompt}",
            "image.conditions.0 has no source, which stands for a dropped picture",
        ),
        (
            "video: {image: {conditions: [{placement: {position: 1.5}}]}}",
            "position should be a number from 0 to 1",
        ),
        # the model image5
        ("generate: {}\nsplit: words", "split should be lines or blocks, not 'words'"),
        ("expand: {}\nsplit: lines", "split parts prompt files, and this rule takes pictures"),
        # markers
        ("generate: {}\nready: done", "ready should have {stem} in the marker's name"),
        ("generate: {}\nready: 'x/{name}.done'", "ready should be a plain name beside the drop"),
        (
            "generate: {}\nready: '{name}'",
            "ready should be a plain name beside the drop, and not the drop's own",
        ),
        ("generate: {}\nready: '{file}.done'", "ready knows {stem} and {name}, and not {file}"),
        ("generate: {}\nready: 5", "ready should name a file beside the drop"),
        ("generate: {}\nready: '{stem}.txt'", "beach.txt would be a marker by the name {stem}.txt"),
        ("expand: {}\nready: '{name}.png'", "beach.png would be a marker by the name {name}.png"),
        (
            "expand: {mask: {sidecar: '{stem}.m.gif'}}\nready: '{stem}.m.gif'",
            "{stem}.m.gif is a file that the operation sends",
        ),
        # not yet
        ("generate: {}\nduplicates: no", "duplicates"),
        ("generate: {}\nafter: keep", "unknown key after; `done` and `failed` say where originals go"),
        ("generate: {}\nbudget: {brake: off}", "unknown key brake"),
        ("expand: {mask: {source: {sidecar: x}}}", "source should have {stem} in the sidecar's name"),
        ("expand: {mask: 'https://x/y.png'}", "an address can only stand in the front matter"),
        # files
        ("expand: {mask: {source: [x]}}", "source should be the path of a picture"),
        ("expand: {image: x.png}", "image is said, so that a dropped picture has no place"),
        ("expand: {image: {sidecar: '{stam}.png'}}", "image knows {stem} and {name}, and not {stam}"),
        ("expand: {image: {sidecar: '../{stem}.png'}}", "image should be a plain name beside the drop"),
        ("expand: {image: {sidecar: ''}}", "image should name a file beside the drop"),
        ("expand: {mask: {source: 'http://x/y.png'}}", "source should be an https address"),
        ("expand: {prompt: ''}", "prompt should not be empty"),
        (
            "expand: {prompt: 7}",
            'prompt should be text, or {sidecar: "{stem}.mask.png"}, not 7; put it in quotes',
        ),
        ("expand: {prompt: [x]}", "prompt should be text"),
        ("expand: {prompt: 'a {text}'}", "{text} stands for the text of a prompt file"),
        (
            "expand: {image: x.png, prompt: {sidecar: '{stem}.txt'}}\nmatch: {kind: prompt}",
            "the dropped file gives the prompt; a prompt beside it goes with pictures",
        ),
        # together
        ("generate: {size: 1024x1024, sizes: [1024x1024]}", "give sizes or size, not both"),
        ("generate: {seeds: [1], num_variations: 2}", "seeds has 1 for 2 variations"),
        ("generate: {structure: {strength: 5}}", "structure needs an image_reference"),
        ("generate: {model: image3_custom}", "image3_custom needs a custom_model_id"),
        ("generate: {models: [image4_custom, image3]}", "image4_custom needs a custom_model_id"),
        (
            "generate: {custom_model_id: x}",
            "custom_model_id goes with the models image3_custom and image4_custom",
        ),
        (
            "generate: {models: [image3_custom, image3], custom_model_id: x}",
            "custom_model_id goes with the models image3_custom and image4_custom",
        ),
        (
            "generate: {model: image4_custom, custom_model_id: x, negative_prompt: y}",
            "negative_prompt is not possible with custom models",
        ),
        (
            "generate: {model: image4_custom, custom_model_id: x, visual_intensity: 5}",
            "visual_intensity is not possible with image4_custom",
        ),
        ("generate: {upsampler_type: default}", "upsampler_type goes with the model image4_custom only"),
        ("generate: {prompt: a boat}", "write {text} where it is to stand"),
        ("expand: {mask: {invert: true}}", "mask needs a source"),
        ("expand: {mask: m.png, placement: {}}", "placement cannot be used together with a mask"),
        ("{}", "this rule has no operation: add one of generate, similar, expand, fill"),
        ("exapnd: {}", "unknown key exapnd; did you mean expand?"),
        ("generate: {}\nexpand: {}", "this one has generate already; expand needs a rule of its own"),
        ("generate: {}\nmatch: {kind: image}", "generate takes prompts here, and no pictures"),
        ("generate: {}\nmatch: {formats: [png]}", "formats cannot be asked of kind prompt"),
        ("expand: {}\nmatch: {text: boat}", "text cannot be asked of kind image"),
        ("expand: {}\nmatch: {min_size: 2MB, max_size: 1MB}", "min_size is larger than max_size"),
        ("expand: {}\nmode: '0600'\ndelivery: {mode: '0600'}", "mode stands here and in delivery; keep one"),
        ("expand: {}\ndelivery: {name: '{stm}{ext}'}", "there is no token {stm}; did you mean {stem}?"),
        (
            "expand: {sizes: [2048x2048, 2000x2000]}\ndelivery: {name: '{stem}{ext}', collision: overwrite}",
            "name needs {size}: with collision overwrite",
        ),
        (
            "generate: {}\nsplit: lines\ndelivery: {name: '{stem}{ext}'}\ncollision: skip",
            "name needs {part}: with collision skip",
        ),
        (
            f"generate: {{prompt: '{'x' * 1100}{{text}}'}}",
            "prompt may have at most 1,024 characters, not 1,106",
        ),
        (
            f"fill: {{mask: m.png, negative_prompt: {'x' * 1025}}}",
            "negative_prompt may have at most 1,024 characters",
        ),
        ("expand: {prompt: {sidecar: plain.txt}}", "prompt should have {stem} in the sidecar's name"),
        (
            "generate: {variations: 2}\ndelivery: {name: '{stem}{ext}'}\ncollision: skip",
            "name needs {index}: with collision skip",
        ),
    ],
)
def test_a_slip_is_told_in_one_sentence(faults_of: Callable[[str], list[str]], text: Any, words: Any) -> None:
    """Every slip has exactly one fault, in plain words."""
    (fault,) = faults_of(text.removeprefix("{}"))

    assert words in fault


@pytest.mark.parametrize(
    "text",
    [
        "generate:",
        "expand: {}\nbudget: off",
        "expand: {}\nbudget: {per_day: off, per_month: off}",
        "expand: {}\nmatch:",
        "expand: {}\nmatch: {min_size: 5MB, max_size: 5MB}",
        "generate: {model: image4_custom, custom_model_id: x, upsampler_type: low_creativity}",
        "generate: {models: [image3_custom, image4_custom], custom_model_id: x}",
        "generate: {seeds: [1, 2], variations: 2}",
        "generate: {prompt: 'A {text}'}",
        "generate: {style: {strength: 5}}",
        "generate: {model: image5, aspect_ratio: '16:9'}",
        "generate: {model: image5, aspect_ratio: auto, prompt: make it night, reference_blobs: [{}]}",
        "generate: {model: image5, prompt: {sidecar: '{stem}.txt'}}\nmatch: {kind: image}",
        "similar: {models: [image3, image4_ultra], sizes: [1024x1024], variations: 4}",
        "fill: {mask: {sidecar: '{stem}.mask.png'}}",
        "fill: {image: a.png, mask: {invert: true}}",
        "fill: {}\nmatch: {kind: prompt}",
        "composite: {prompt: a beach}",
        "composite: {prompt: {sidecar: '{stem}.txt'}, placement: {}}\nsplit: lines",
        "composite: {image: a.png}\nmatch: {kind: prompt}",
        "precise_composite: {background: {image: b.png, fill_area_mask: a.png}, blend: 1, seeds: [1, 2, 3]}",
        "precise_composite: {background: {fill_area_mask: a.png}, object: {image: o.png}}",
        "adaptive_composite: {background: {image: b.png, fill_area_mask: {sidecar: '{stem}.area.png'}}, object: {mask: m.png}}",
        "upscale: {upscale_factor: 6, seeds: [1, 2]}",
        "upscale: {}\nmatch: {kind: prompt}",
        "video: {image: first.png}",
        "video: {prompt: waves}\nmatch: {kind: image}",
        "video: {}\nmatch: {kind: image}",
        "video: {image: {conditions: [{placement: {position: 1}}, {source: a.png, placement: {position: 0}}]}}",
        "video: {prompt: 'A {text}', video_settings: {shot_angle: top-down shot}, sizes: [1280x720, 720x1280]}",
        "expand: {placement: {}}",
        "expand: {mask: m.png}",
        "expand: {mask: m.png}\nmatch: {min_size: 1MB}",
        "expand: {sizes: [2048x2048, 2000x2000]}\ndelivery: {name: '{stem}{width}{ext}', collision: overwrite}",
        "expand: {sizes: [2048x2048, 2000x2000]}\ndelivery: {name: '{stem}{ext}'}",
        "expand: {variations: 2}\ndelivery: {name: '{stem}{seed}{ext}', collision: skip}",
        "expand: {variations: 2}\ndelivery: {name: '{stem}{index}{ext}', collision: skip}",
        "expand: {sizes: [2048x2048, 2000x2000]}\ndelivery: {name: '{stem}{job_id}{ext}', collision: overwrite}",
        "expand: {}\nsidecar: true\ndelivery: {name: '{stem}{ext}'}",
        "expand: {}\nsidecar:",
        "expand: {}\nalso: True\nrescan: 1m",
    ],
)
def test_what_is_right_has_no_fault(faults_of: Callable[[str], list[str]], text: Any) -> None:
    """Everything that the contract offers can be written."""
    assert [] == faults_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "expand: {size: 4000x4000, sizes: [2048x2048]}",
            ["size should be between 1x1 and 3999x3999, not 4000x4000", "give sizes or size, not both"],
        ),
        (
            "expand: {size: 2048x2048, sizes: [4000x4000]}",
            ["sizes should be between 1x1 and 3999x3999, not 4000x4000", "give sizes or size, not both"],
        ),
        (
            "generate: {models: [image3, image3], model: image3}",
            ["models should not hold image3 twice", "give models or model, not both"],
        ),
        (
            "generate: {variations: 9, num_variations: 2, size: 1x1, sizes: []}",
            [
                "sizes should not be empty",
                "variations should be at most 4, not 9",
                "give sizes or size, not both",
                "give variations or num_variations, not both",
            ],
        ),
        ("expand: {size:, sizes: [4000x4000]}", ["sizes should be between 1x1 and 3999x3999, not 4000x4000"]),
    ],
)
def test_two_spellings_are_told_beside_the_fault_of_one(
    faults_of: Callable[[str], list[str]], text: str, expected: list[str]
) -> None:
    """A value at fault does not hide that there is another spelling of it."""
    assert sorted(expected) == sorted(faults_of(text))


@pytest.mark.parametrize("raw", ["inbox: i\noutbox: o\nexpand: {}", "name:\ninbox: i\noutbox: o\nexpand: {}"])
def test_a_rule_needs_a_name(raw: Any) -> None:
    """A missing name and an empty one are the same."""
    document = parse(raw, environ={}).value

    (problem,) = contradictions(review(RuleShape, document), document)

    assert "this rule has no name" == problem.message


def test_a_key_at_fault_is_not_told_to_be_missing() -> None:
    """One slip gives one line."""
    raw = {"name": "a/b", "inbox": "i", "outbox": "o", "expand": {}}

    read = review(RuleShape, raw)

    assert ["name should be a short plain name, not 'a/b'"] == [problem.message for problem in read.problems]
    assert not list(contradictions(read, raw))


def test_many_slips_are_told_together(faults_of: Callable[[str], list[str]]) -> None:
    """An operator mends a rule in one go, whatever kinds of slips it has."""
    faults = faults_of(
        "mach: {}\nsettle: 2\nexpand: {sizes: [big, 5x5, 5000x5], size: 7x7, promt: x}\nmode: 0664\nsplit: lines"
    )

    assert 8 == len(faults)


def test_a_list_in_place_of_a_rule_is_told() -> None:
    """What is no block at all leaves an empty reading and one fault."""
    read = review(RuleShape, [1])

    assert RuleShape() == read.value
    assert "the file should be a block of keys, not a list" == read.problems[0].message


def test_what_pydantic_alone_says_is_passed_on() -> None:
    """A kind of fault that has no words of ours keeps its own."""
    read = review(RuleShape, {"match": {"text": "\udcff("}})

    assert 1 == len(read.problems)


def test_unknown_keys_of_the_configuration_are_told() -> None:
    """The configuration's own blocks are searched as well."""
    assert "unknown key in_flight here; it belongs inside limits" == unknown_key(
        "in_flight", ConfigurationShape
    )


@pytest.mark.parametrize("value", ["postgresql://me:secret@host/db", 5])
def test_another_ledger_is_not_available_yet(value: Any) -> None:
    """The address of a database may hold a password, so it is not repeated."""
    (problem,) = review(ConfigurationShape, {"ledger": value}).problems

    assert "ledger other than sqlite is not available yet" == problem.message


def test_limits_may_be_off() -> None:
    """``off`` is a word in YAML 1.2, and false means the same here."""
    read = review(ConfigurationShape, {"limits": {"requests_per_minute": "off", "requests_per_day": False}})

    assert read.value.limits is not None
    assert read.value.limits.requests_per_minute is None
    assert read.value.limits.requests_per_day is None


@pytest.mark.parametrize("value", [0, [], {}])
def test_no_limit_is_said_with_a_word(value: Any) -> None:
    """Zero is not ``off``: whoever writes 0 does not want to spend without bounds."""
    (problem,) = review(ConfigurationShape, {"limits": {"requests_per_day": value}}).problems

    assert problem.message.startswith("requests_per_day should be")


def test_sqlite_is_a_ledger() -> None:
    """The one that is there can be named."""
    assert not review(ConfigurationShape, {"ledger": "sqlite"}).problems


def test_blocks_within_lists_are_searched_too() -> None:
    """A list of rules is as good as a rule."""
    (problem,) = review(RulesShape, {"rules": [{"naem": "x"}]}).problems

    assert "unknown key naem; did you mean name?" == problem.message
    assert ("rules", 0, "naem") == problem.path
