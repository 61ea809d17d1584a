"""What each operation asks of a body and of the pictures in it, beyond the schemas of Adobe's document."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dropglow.sandbox.bodies import BadBody, read_order
from dropglow.sandbox.orders import (
    Adaptive,
    Filming,
    Operation,
    Order,
    Placement,
    Precise,
    Role,
    Upload,
    Upscaling,
)

UPLOAD = "510aabb4-26c5-4a5f-93b2-1a6f9ab1ee2a"
MASK = "510aabb4-26c5-4a5f-93b2-1a6f9ab1ee2b"
SOURCE = {"source": {"uploadId": UPLOAD}}
BY_URL = {"source": {"url": "https://bucket.s3.amazonaws.com/a.jpg"}}
MEGABYTE = 1024 * 1024
BLEND = {"background": {"image": SOURCE, "fillAreaMask": SOURCE}, "object": {"image": SOURCE}}
PLAIN = Upload(id=UPLOAD, sha256="", size_bytes=5000, width=800, height=600, transparent=False, stored_at=0)
MODELS = {Operation.IMAGE5: "image5", Operation.VIDEO: "video1_standard"}


def read(operation: Operation, body: dict[str, Any], **picture: Any) -> Order | BadBody:
    """Return what becomes of a body whose pictures are all like that."""
    upload = dataclasses.replace(PLAIN, **picture)
    return read_order(body, operation=operation, model=MODELS.get(operation), find_upload=lambda _: upload)


def ordered(operation: Operation, body: dict[str, Any], **picture: Any) -> Order:
    """Return the order that a body stands for."""
    order = read(operation, body, **picture)
    assert isinstance(order, Order), order
    return order


def complaints(operation: Operation, body: dict[str, Any], **picture: Any) -> list[str]:
    """Return what is complained about, as place and message; nothing for an order."""
    answer = read(operation, body, **picture)
    if isinstance(answer, Order):
        return []
    return [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in answer.complaints]


# Limits of pictures.


@pytest.mark.parametrize(
    ("width", "height", "fine"),
    [
        (512, 512, True), (511, 512, False), (2048, 2048, True), (2048, 2049, False), (4096, 1024, True),
        (1300, 260, True), (1301, 260, False), (260, 1301, False), (0, 0, True),
    ],
)  # fmt: skip
def test_an_edit_takes_pictures_of_a_certain_size(width: int, height: int, fine: bool) -> None:
    """The area lies between 512x512 and 2048x2048, the ratio between 1:5 and 5:1; what is unknown is let through."""
    body = {"prompt": "at night", "referenceBlobs": [SOURCE]}

    assert fine == (not complaints(Operation.IMAGE5, body, width=width, height=height))


def test_an_edit_takes_ten_megabytes() -> None:
    """One byte more is named at its place."""
    body = {"prompt": "at night", "referenceBlobs": [{**SOURCE, "usage": "general"}]}

    assert not complaints(Operation.IMAGE5, body, size_bytes=10 * MEGABYTE)
    assert ["referenceBlobs.0.source: the file must not be larger than 10 MB"] == complaints(
        Operation.IMAGE5, body, size_bytes=10 * MEGABYTE + 1
    )


@pytest.mark.parametrize(
    ("operation", "body", "named"),
    [
        (Operation.COMPOSITE, {"prompt": "a table", "image": SOURCE, "mask": SOURCE}, 2),
        (Operation.PRECISE_COMPOSITE, BLEND, 3),
        (Operation.ADAPTIVE_COMPOSITE, BLEND | {"object": {"image": SOURCE, "mask": SOURCE}}, 4),
    ],
)
def test_composites_take_ten_megabytes(operation: Operation, body: dict[str, Any], named: int) -> None:
    """Each picture that is too large is named."""
    assert not complaints(operation, body, size_bytes=10 * MEGABYTE)
    assert named == len(complaints(operation, body, size_bytes=10 * MEGABYTE + 1))


@pytest.mark.parametrize(("width", "height", "fine"), [(600, 10, True), (10, 600, True), (599, 599, False)])
def test_a_fill_needs_a_larger_side_of_600(width: int, height: int, fine: bool) -> None:
    """Smaller pictures are refused."""
    body = {"image": SOURCE, "mask": {**SOURCE, "invert": True}}

    assert fine == (not complaints(Operation.FILL, body, width=width, height=height))


@pytest.mark.parametrize(
    ("body", "picture", "fine"),
    [
        ({}, {"width": 2048, "height": 2048}, False),
        ({}, {"width": 2047, "height": 4000}, True),
        ({}, {"width": 3000, "height": 3000}, False),
        ({}, {"width": 3000, "height": 3000, "transparent": True}, True),
        ({"mask": SOURCE}, {"width": 3000, "height": 3000}, True),
        ({"mask": {}}, {"width": 3000, "height": 3000}, False),
        ({"image": {**SOURCE, "mask": SOURCE["source"]}}, {"width": 3000, "height": 3000}, True),
        ({"size": {"width": 1024, "height": 1024}}, {}, True),
        ({"size": {"width": 1024, "height": 1024}}, {"width": 1024, "height": 1025}, False),
    ],
)
def test_a_composite_needs_room_for_its_scene(
    body: dict[str, Any], picture: dict[str, Any], fine: bool
) -> None:
    """A larger size, a transparent picture or a mask makes room."""
    whole = {"prompt": "a table", "image": SOURCE, **body}

    assert fine == (not complaints(Operation.COMPOSITE, whole, **picture))


@pytest.mark.parametrize(
    ("factor", "side", "fine"), [(2, 3072, True), (2, 3073, False), (6, 1024, True), (6, 1025, False)]
)
def test_an_upscale_ends_at_6k(factor: int, side: int, fine: bool) -> None:
    """The longer side of the result has at most 6144 pixels."""
    body = {"image": SOURCE, "seeds": [1], "upscaleFactor": factor}

    assert fine == (not complaints(Operation.UPSCALE, body, width=side, height=20))
    assert fine == (not complaints(Operation.UPSCALE, body, width=20, height=side))


def test_an_unknown_upload_is_a_bad_request() -> None:
    """It is named, whatever it is for."""
    body = {"image": SOURCE, "mask": {"source": {"uploadId": MASK}}}
    answer = read_order(
        body, operation=Operation.FILL, model=None, find_upload=lambda name: PLAIN if name == UPLOAD else None
    )

    assert isinstance(answer, BadBody)
    assert not answer.complaints
    assert MASK in answer.message


# Models.


@pytest.mark.parametrize(
    ("operation", "model"),
    [
        (Operation.SIMILAR, "image4_custom"),
        (Operation.IMAGE5, "image4_standard"),
        (Operation.UPSCALE, "creative_upsampler_v1"),
        (Operation.VIDEO, "image3"),
    ],
)
def test_a_wrong_model_is_answered_with_the_right_ones(operation: Operation, model: str) -> None:
    """The header has its own place among the complaints."""
    answer = read_order({}, operation=operation, model=model, find_upload=lambda _: None)

    assert isinstance(answer, BadBody)
    assert ["header", "x-model-version"] == answer.complaints[0]["loc"]
    assert f"Invalid x-model-version: {model}." in answer.message


@pytest.mark.parametrize("operation", [Operation.EXPAND, Operation.FILL, Operation.COMPOSITE])
def test_some_operations_know_no_models(operation: Operation) -> None:
    """The header is not documented for them, and means nothing."""
    body = {"image": SOURCE, "mask": SOURCE, "prompt": "a table"}
    answer = read_order(body, operation=operation, model="image9", find_upload=lambda _: PLAIN)

    assert isinstance(answer, Order)


@pytest.mark.parametrize(
    "body",
    [{"numVariations": 2}, {"numVariations": 2.0}, {"seeds": [1, 2]}, {"seeds": [1, 2], "numVariations": 2}],
)
def test_image4_ultra_makes_one_picture(body: dict[str, Any]) -> None:
    """More are refused, however they are asked for."""
    answer = read_order(
        {"prompt": "a hat"} | body,
        operation=Operation.GENERATE,
        model="image4_ultra",
        find_upload=lambda _: None,
    )

    assert isinstance(answer, BadBody)
    assert "image4_ultra makes one variation at a time" == answer.complaints[0]["msg"]


def test_one_picture_of_image4_ultra_is_fine() -> None:
    """However it is asked for."""
    body = {"prompt": "a hat", "seeds": [1], "numVariations": 1}
    answer = read_order(body, operation=Operation.GENERATE, model="image4_ultra", find_upload=lambda _: None)

    assert isinstance(answer, Order)


@pytest.mark.parametrize("operation", [Operation.IMAGE5, Operation.VIDEO])
def test_some_operations_need_their_model(operation: Operation) -> None:
    """A missing header is named."""
    answer = read_order({"prompt": "a hat"}, operation=operation, model=None, find_upload=lambda _: None)

    assert isinstance(answer, BadBody)
    assert "field required" == answer.complaints[0]["msg"]


@pytest.mark.parametrize(
    ("body", "complained"),
    [({"seeds": [1]}, False), ({"referenceBlobs": [BY_URL], "aspectRatio": "auto"}, False),
     ({"referenceBlobs": [BY_URL], "aspectRatio": "1:1"}, True), ({"referenceBlobs": [], "aspectRatio": "1:1"}, False)],
)  # fmt: skip
def test_an_edit_keeps_the_ratio_of_its_picture(body: dict[str, Any], complained: bool) -> None:
    """With a reference the aspect ratio is omitted or auto."""
    assert complained == bool(complaints(Operation.IMAGE5, {"prompt": "at night"} | body))


def test_a_clip_needs_something_to_show() -> None:
    """A prompt or a picture."""
    assert ["prompt: a prompt or an image is needed"] == complaints(Operation.VIDEO, {"sizes": "wide"})[-1:]


# What an order is then.


@pytest.mark.parametrize(
    ("operation", "body", "size"),
    [
        (Operation.SIMILAR, {"image": SOURCE}, (2048, 2048)),
        (Operation.FILL, {"image": SOURCE, "mask": SOURCE}, (2048, 2048)),
        (Operation.COMPOSITE, {"image": SOURCE, "prompt": "a table"}, (2048, 2048)),
        (Operation.PRECISE_COMPOSITE, BLEND, (800, 600)),
        (Operation.UPSCALE, {"image": SOURCE, "seeds": [1]}, (1600, 1200)),
        (Operation.UPSCALE, {"image": BY_URL, "seeds": [1], "upscaleFactor": 3}, (3072, 3072)),
        (Operation.VIDEO, {"prompt": "a hat"}, (1920, 1080)),
        (Operation.IMAGE5, {"prompt": "a hat"}, (1536, 1536)),
        (Operation.IMAGE5, {"prompt": "a hat", "aspectRatio": "16:9", "resolutionLevel": "1MP"}, (1360, 768)),
        (Operation.IMAGE5, {"prompt": "at night", "referenceBlobs": [SOURCE], "resolutionLevel": "4MP"}, (2368, 1776)),
    ],
)  # fmt: skip
def test_sizes_have_their_defaults(operation: Operation, body: dict[str, Any], size: tuple[int, int]) -> None:
    """The document's where it has one, else what follows from the picture."""
    order = ordered(operation, body)

    assert size == (order.width, order.height)


@pytest.mark.parametrize(("variations", "seeds"), [(None, (333,)), (2, (333, 222)), (3, (333, 222, 111))])
def test_composites_have_the_same_seeds_each_time(variations: int | None, seeds: tuple[int, ...]) -> None:
    """Adobe documents them."""
    body = BLEND if variations is None else BLEND | {"numVariations": variations}
    order = ordered(Operation.PRECISE_COMPOSITE, body)

    assert seeds == order.seeds
    assert len(seeds) == order.images


def test_an_upscale_has_as_many_results_as_seeds() -> None:
    """There is no other number."""
    assert 3 == ordered(Operation.UPSCALE, {"image": SOURCE, "seeds": [1, 1, 2]}).images


@pytest.mark.parametrize(
    ("size", "operations"),
    [((1920, 1080), 10), ((1080, 1080), 10), ((720, 1280), 5), ((960, 540), 2), ((540, 540), 2)],
)
def test_a_clip_costs_by_its_lines(size: tuple[int, int], operations: int) -> None:
    """Five seconds at 0.4, 1 or 2 operations a second."""
    body = {"prompt": "a hat", "sizes": [{"width": size[0], "height": size[1]}]}

    assert operations == ordered(Operation.VIDEO, body).operations


def test_a_clip_has_one_of_nine_sizes() -> None:
    """Each other is named at its place."""
    sizes = [{"width": 1280, "height": 720}, {"width": 1280, "height": 721}]

    assert ["sizes.1"] == [
        one.partition(":")[0] for one in complaints(Operation.VIDEO, {"prompt": "a hat", "sizes": sizes})
    ]


def test_frames_know_their_place_in_the_clip() -> None:
    """The first and the last are told apart."""
    conditions = [
        {**SOURCE, "placement": {"position": 0}},
        {**BY_URL, "placement": {"position": 1}},
    ]
    order = ordered(Operation.VIDEO, {"image": {"conditions": conditions}})

    assert [(Role.FRAME, UPLOAD, 0.0), (Role.FRAME, None, 1.0)] == [
        (one.role, one.upload_id, one.position) for one in order.inputs
    ]


@pytest.mark.parametrize(
    ("operation", "body", "manner"),
    [
        (Operation.PRECISE_COMPOSITE, BLEND, Precise(blend=0.5, media_type="image/jpeg")),
        (
            Operation.PRECISE_COMPOSITE,
            BLEND | {"blend": 1, "output": {"mediaType": "image/png"}},
            Precise(blend=1.0, media_type="image/png"),
        ),
        (
            Operation.ADAPTIVE_COMPOSITE,
            BLEND,
            Adaptive(
                harmonization=0.6, shadow_intensity=1.0, preserve_background=False, media_type="image/jpeg"
            ),
        ),
        (
            Operation.ADAPTIVE_COMPOSITE,
            BLEND | {"harmonization": 0, "shadowIntensity": 0.25, "preserveBackground": True, "output": {}},
            Adaptive(
                harmonization=0.0, shadow_intensity=0.25, preserve_background=True, media_type="image/jpeg"
            ),
        ),
        (Operation.UPSCALE, {"image": SOURCE, "seeds": [1], "upscaleFactor": 4}, Upscaling(factor=4)),
        (
            Operation.VIDEO,
            {"prompt": "a hat", "videoSettings": {"cameraMotion": "camera zoom in"}},
            Filming(camera_motion="camera zoom in"),
        ),
        (
            Operation.FILL,
            {"image": SOURCE, "mask": {**SOURCE, "invert": True}},
            Placement(mask_inverted=True),
        ),
    ],
)
def test_an_order_knows_the_manner_of_its_operation(
    operation: Operation, body: dict[str, Any], manner: object
) -> None:
    """Whatever shows in the pictures reaches the painters."""
    assert manner == ordered(operation, body).manner


def test_the_deprecated_mask_is_a_mask() -> None:
    """It counts where there is no other."""
    image = {**SOURCE, "mask": {"uploadId": MASK}}
    order = ordered(Operation.EXPAND, {"image": image})

    assert MASK == order.upload(Role.MASK)
    assert UPLOAD == ordered(Operation.EXPAND, {"image": image, "mask": SOURCE}).upload(Role.MASK)
