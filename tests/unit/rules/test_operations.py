"""The table of operations, and what their parameters refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dropglow.rules.assemble import parameters_of
from dropglow.rules.contradictions import cautions
from dropglow.rules.operations import OPERATIONS
from dropglow.rules.positions import parse
from dropglow.rules.review import review
from dropglow.rules.rule import Rule
from dropglow.rules.schema import RuleShape


def warnings(text: str) -> list[str]:
    return [problem.message for problem in cautions(review(RuleShape, parse(text, environ={}).value).value)]


def test_operations_are_found_by_their_own_keys() -> None:
    """The table's keys are the words of the rules."""
    assert all(key == operation.key for key, operation in OPERATIONS.items())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("generate: {model: image7}", "Adobe's documents name no model image7; did you mean"),
        ("generate: {models: [zzz]}", "Adobe's documents name no model zzz"),
        ("generate: {model: image4_ultra, variations: 2}", "image4_ultra is said to give one variation only"),
        ("generate: {size: 100x100}", "image3 is not known to make 100x100; Adobe lists 896x1152"),
        (
            "generate: {model: image4_standard, sizes: [1024x1024, 1440x2560]}",
            "image4_standard is not known to make",
        ),
        ("similar: {size: 100x100}", "this operation is not known to make 100x100; Adobe lists 896x1152"),
        ("similar: {model: image4_custom}", "Adobe's documents name no model image4_custom; did you mean"),
        ("fill: {mask: m.png, sizes: [2048x2048, 2688x1512]}", "is not known to make 2688x1512"),
        ("composite: {prompt: x, style: {presets: [inc]}}", "no style preset inc; did you mean ink?"),
        ("upscale: {model: creative_upsampler_v1}", "did you mean precise_upsampler_v1?"),
        ("video: {size: 2048x2048}", "video1_standard is not known to make 2048x2048; Adobe lists 540x540"),
        ("video: {model: video2_standard}", "did you mean video1_standard?"),
        (
            "generate: {style: {presets: [watercolour]}}",
            "no style preset watercolour; did you mean watercolor?",
        ),
        ("generate: {style: {presets: [qqqqqq]}}", "no style preset qqqqqq"),
        ("expand: {}\ncollision: skip", "a result whose name is taken is paid for and not kept"),
        ("expand: {}\ndelivery: {collision: skip}", "a result whose name is taken is paid for and not kept"),
    ],
)
def test_what_the_organisation_decides_is_a_warning(text: Any, words: Any) -> None:
    """Adobe may know more than its documents, so nothing is refused for it."""
    (warning,) = warnings(text)

    assert words in warning


@pytest.mark.parametrize(
    "text",
    [
        "generate: {models: [image3, image4_ultra], sizes: [2048x2048]}",
        "generate: {style: {presets: [watercolor], strength: 3}}",
        "generate: {style: {strength: 3}}",
        "generate: {}",
        "expand: {}\ncollision: overwrite",
        "expand: {size: 3000x10}",
        "similar: {models: [image3, image4_ultra], size: 896x1152}",
        "upscale: {model: precise_upsampler_v1}",
        "video: {sizes: [1280x720, 540x540]}",
        "generate: {model: image5}",
        "name: no operation",
    ],
)
def test_what_is_documented_gives_no_warning(text: Any) -> None:
    """Known models, sizes and presets pass in silence."""
    assert [] == warnings(text)


def test_every_operation_can_be_written_in_a_rule() -> None:
    """The shape of a rule has a field for each, of its own parameters."""
    for key, operation in OPERATIONS.items():
        assert operation.parameters() == getattr(review(RuleShape, {key: {}}).value, key)


def test_a_model_may_have_a_path_of_its_own() -> None:
    """The other models share one."""
    generate = OPERATIONS["generate"]

    assert "/v4/images/generate-async" == generate.path_of("image5")
    assert "/v3/images/generate-async" == generate.path_of("image4_ultra") == generate.path_of(None)


def test_a_rule_without_an_operation_has_no_parameters() -> None:
    """There is nothing to look into."""
    assert parameters_of(RuleShape()) is None


def test_a_rules_parameters_are_found() -> None:
    """The one operation names them."""
    shape = review(RuleShape, {"expand": {"variations": 3}}).value

    assert ("expand", shape.expand) == parameters_of(shape)


def test_a_rule_cares_for_pictures_as_it_says(make_rule: Callable[[str], Rule]) -> None:
    """What is not said is prepared, not stripped, and waited for ten minutes."""
    silent = make_rule("expand: {}")
    strict = make_rule("expand: {}\nprepare: never\nstrip_metadata: true\npatience: 90s")

    assert (600.0, None) == (silent.give_up_s, silent.ready)
    assert (True, False, 600.0) == (silent.prepared, silent.stripped, silent.patience_s)
    assert (False, True, 90.0) == (strict.prepared, strict.stripped, strict.patience_s)


def test_the_digest_changes_with_what_is_bought(make_rule: Callable[[str], Rule]) -> None:
    """Another size is another purchase, and what is sent of the picture matters; another name of the results does not."""
    plain = make_rule("expand: {size: 2048x2048}")

    assert plain.digest != make_rule("expand: {size: 2049x2048}").digest
    assert plain.digest == make_rule("expand: {size: 2048x2048}\nsidecar: true").digest
    assert make_rule("generate: {}").digest != make_rule("generate: {}\nsplit: lines").digest
    assert plain.digest != make_rule("expand: {size: 2048x2048}\nstrip_metadata: true").digest
    assert plain.digest != make_rule("expand: {size: 2048x2048}\nprepare: never").digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("expand: {sizes: [2048x2048, 2000x2000]}", "{stem}_{size}_{seed}{ext}"),
        ("generate: {content_classes: [art, photo]}", "{stem}_{content_class}_{size}_{seed}{ext}"),
        ("generate: {}\nsplit: blocks", "{stem}_{part}_{size}_{seed}{ext}"),
        ("similar: {models: [image3, image4_ultra]}", "{stem}_{model}_{size}_{seed}{ext}"),
        ("generate: {models: [image3, image4_ultra]}", "{stem}_{model}_{size}_{seed}{ext}"),
    ],
)
def test_default_names_tell_what_varies(make_rule: Callable[[str], Rule], text: Any, expected: Any) -> None:
    """Classes and models are in the name where there are several."""
    assert expected == make_rule(text).name_template


def test_after_folders_are_below_the_inbox(make_rule: Callable[[str], Rule]) -> None:
    """Relative folders are the inbox's own; absolute ones stay."""
    after = make_rule("expand: {}\ndone: delete\nfailed: /srv/failed").after

    assert after.done is None
    assert "/srv/failed" == after.failed
    assert "/srv/in/_held" == after.held


def test_conditions_are_compiled_once(make_rule: Callable[[str], Rule]) -> None:
    """What a rule asks of a file is ready for comparison."""
    conditions = make_rule(
        "expand: {}\nmatch: {name: '*.JPG', formats: [jpg, tif], orientation: square}"
    ).conditions

    assert {"jpeg", "tiff"} == conditions.formats
    assert conditions.name_pattern is not None
    assert conditions.name_pattern.fullmatch("a/b.jpg")
    assert {"square"} == conditions.orientations


def test_everything_that_goes_with_a_drop_is_known(make_rule: Callable[[str], Rule]) -> None:
    """What is sent, and the marker that is not."""
    rule = make_rule('expand: {mask: {sidecar: "{stem}.mask.png"}}\nready: "{name}.done"\ngive_up: 1m')

    assert ("{stem}.mask.png",) == rule.companions
    assert ("{stem}.mask.png", "{name}.done") == rule.belongings
    assert rule.companions == make_rule('expand: {mask: {sidecar: "{stem}.mask.png"}}').belongings
    assert 60.0 == rule.give_up_s
