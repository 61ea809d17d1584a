"""Stories of pictures that Firefly would refuse: they are sent as copies that it takes, or nothing is bought."""

from __future__ import annotations

import hashlib
import io
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from PIL import Image

from dropglow.model import DropState

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

RULE: Final = """
state: ./state
api: {{base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}}
limits: {{in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {{min: 10ms, max: 50ms}}}}
rules:
  - name: sizes
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    match: {{kind: image}}
    delivery: {{sidecar: true}}
    {more}
    expand: {{sizes: [300x200, 320x200]}}
"""


def rule(more: str = "") -> str:
    return RULE.format(more=more)


def lying(path: Path) -> bytes:
    """Drop a small print scan that lies on its side, and tells where it was made."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 36.0)}
    Image.new("CMYK", (240, 160), (0, 200, 200, 0)).save(path, "JPEG", exif=exif)
    return path.read_bytes()


def received(daemon: Daemon) -> list[Image.Image]:
    """Return what the world has in its storage."""
    contents = [daemon.world.content(upload["id"]) for upload in daemon.books()["uploads"]]
    return [Image.open(io.BytesIO(content)) for content in contents if content is not None]


def sidecars(daemon: Daemon) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(daemon.outbox.rglob("*.json"))]


def report(daemon: Daemon, name: str) -> str:
    return (daemon.photos / "_failed" / f"{name}.error.txt").read_text()


async def test_a_print_scan_is_sent_upright_in_screen_colours(make_daemon: DaemonMaker) -> None:
    """Once for all sizes; the original comes into _done as it was dropped."""
    daemon = make_daemon(text=rule())
    before = lying(daemon.photos / "scan.jpg")

    await daemon.run_once()

    (copy,) = received(daemon)
    assert ("JPEG", "RGB", (160, 240)) == (copy.format, copy.mode, copy.size)
    assert not copy.getexif()
    assert before == (daemon.photos / "_done" / "scan.jpg").read_bytes()
    assert 2 == daemon.books()["accepted"]
    assert [] == list((daemon.folder / "state" / "copies").iterdir())


async def test_the_sidecar_and_the_log_tell_what_was_sent(make_daemon: DaemonMaker, log: io.StringIO) -> None:
    """With reasons, for whoever wonders about a result."""
    daemon = make_daemon(text=rule())
    lying(daemon.photos / "scan.jpg")

    await daemon.run_once()

    (prepared,) = {reference["prepared"] for each in sidecars(daemon) for reference in each["references"]}  # type: ignore[attr-defined]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (told,) = [line for line in lines if line["event"] == "upload.prepared"]
    assert prepared.startswith("turned upright, converted from CMYK to sRGB, JPEG, ")
    assert ["turned upright", "converted from CMYK to sRGB"] == told["reasons"]
    assert ("scan.jpg", "sizes", "jpeg", "jpeg") == (
        told["source"],
        told["rule"],
        told["from_format"],
        told["to_format"],
    )


async def test_the_same_picture_is_not_even_converted_again(
    make_daemon: DaemonMaker, log: io.StringIO
) -> None:
    """For seven days its copy lies with Adobe; the next sidecar tells the same."""
    daemon = make_daemon(text=rule())
    lying(daemon.photos / "scan.jpg")
    await daemon.run_once()
    lying(daemon.photos / "again.jpg")

    await daemon.run_once()

    assert 1 == len(daemon.books()["uploads"])
    assert 1 == log.getvalue().count('"upload.prepared"')
    assert 1 == len({reference["prepared"] for each in sidecars(daemon) for reference in each["references"]})  # type: ignore[attr-defined]


async def test_a_copy_is_not_taken_for_its_original(make_daemon: DaemonMaker) -> None:
    """A rule that strips notes must not use what another one uploaded with them."""
    daemon = make_daemon(text=rule("also: true") + RULE_THAT_STRIPS)
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    Image.new("RGB", (240, 160)).save(daemon.photos / "beach.jpg", exif=exif)

    await daemon.run_once()

    assert [False, True] == sorted(bool(picture.getexif()) for picture in received(daemon))


RULE_THAT_STRIPS: Final = """
  - name: stripped
    inbox: inbox/photos
    outbox: outbox/stripped
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    match: {kind: image}
    strip_metadata: true
    expand: {size: 300x200}
"""


async def test_what_has_more_than_one_picture_is_refused_before_anything_is_bought(
    make_daemon: DaemonMaker,
) -> None:
    """An animated WebP: nobody can know which frame is meant."""
    daemon = make_daemon(text=rule())
    frames = [Image.new("RGB", (200, 200), (shade, 0, 0)) for shade in (0, 100, 200)]
    frames[0].save(daemon.photos / "dance.webp", save_all=True, append_images=frames[1:])

    outcome = await daemon.run_once()

    books = daemon.books()
    assert outcome.troubled
    assert (0, 0, 0) == (len(books["uploads"]), books["accepted"], books["refused"])
    assert "the picture is animated" in report(daemon, "dance.webp")
    assert "Billed:        no" in report(daemon, "dance.webp")


async def test_a_rule_that_prepares_nothing_refuses_with_the_reason(make_daemon: DaemonMaker) -> None:
    """The same scan, and `prepare: never`."""
    daemon = make_daemon(text=rule("prepare: never"))
    lying(daemon.photos / "scan.jpg")

    await daemon.run_once()

    (drop,) = await daemon.drops()
    assert DropState.FAILED is drop.state
    assert 0 == len(daemon.books()["uploads"])
    assert "it is not stored upright (EXIF rotation 6), and its colours are CMYK" in report(
        daemon, "scan.jpg"
    )


async def test_a_noisy_png_beyond_the_limit_is_sent_smaller(make_daemon: DaemonMaker) -> None:
    """24 MB, of which Adobe takes 15."""
    daemon = make_daemon(text=rule())
    noise = random.Random(1).randbytes(2900 * 2900 * 3)
    Image.frombytes("RGB", (2900, 2900), noise).save(daemon.photos / "noise.png", compress_level=0)

    await daemon.run_once()

    (upload,) = daemon.books()["uploads"]
    (copy,) = received(daemon)
    assert ("JPEG", (2900, 2900)) == (copy.format, copy.size)
    assert upload["size_bytes"] <= 15_000_000
    assert 2 == len(daemon.results()) - len(sidecars(daemon))


async def test_a_broken_picture_of_the_rule_is_refused_by_its_name(make_daemon: DaemonMaker) -> None:
    """The drop is all right, its mask is cut off; nothing is uploaded for either that nobody can use."""
    daemon = make_daemon(text=rule().replace("expand: {sizes:", "expand: {mask: mask.png, sizes:"))
    Image.effect_noise((240, 160), 60).save(daemon.folder / "mask.png")
    whole = (daemon.folder / "mask.png").read_bytes()
    (daemon.folder / "mask.png").write_bytes(whole[: len(whole) // 2])
    daemon.photo()

    await daemon.run_once()

    assert 0 == daemon.books()["accepted"]
    assert "mask.png: the picture is cut off" in report(daemon, "beach.jpg")


def mask_of(daemon: Daemon, job: dict[str, Any]) -> bytes | None:
    """Return what was sent as the mask of a job in the world's books."""
    (upload,) = (each["upload"] for each in job["inputs"] if each["role"] == "mask")
    return daemon.world.content(upload)


class Editor(httpx.AsyncBaseTransport):
    """A network on which somebody writes another picture into a file just when its upload begins, once."""

    def __init__(self, transport: httpx.AsyncBaseTransport, path: Path, content: bytes, *, nth: int) -> None:
        """Write *content* to *path* before the upload number *nth*."""
        self._transport = transport
        self._path = path
        self._content = content
        self._left = nth

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= "/storage/" in request.url.path
        if not self._left:
            self._left = -1
            self._path.write_bytes(self._content)
        return await self._transport.handle_async_request(request)


def plain(shade: int) -> bytes:
    """Return a picture that has as many bytes in any shade."""
    with io.BytesIO() as stream:
        Image.new("L", (240, 160), shade).save(stream, "TIFF")
        return stream.getvalue()


async def test_a_picture_that_changes_before_it_is_sent_is_not_taken_for_the_old_one(
    make_daemon: DaemonMaker,
) -> None:
    """The upload of the new one must not serve whoever puts the old one back within seven days."""
    daemon = make_daemon(text=rule().replace("expand: {sizes:", "expand: {mask: mask.tif, sizes:"), hurry=20)
    mask, black, white = daemon.folder / "mask.tif", plain(0), plain(255)
    mask.write_bytes(white)
    daemon.wire = lambda transport: Editor(transport, mask, black, nth=2)
    daemon.photo()
    await daemon.run_once()
    daemon.wire = lambda transport: transport
    mask.write_bytes(white)
    daemon.photo("sea.jpg", shade=9)

    await daemon.run_once()

    first, *_, last = daemon.books()["jobs"]
    assert [black, white] == [mask_of(daemon, job) for job in (first, last)]


@pytest.mark.parametrize("name", ["0123.upload", ".dropglow-0123456789abcdef.tmp"])
async def test_copies_that_a_crash_left_are_swept_at_the_start(make_daemon: DaemonMaker, name: str) -> None:
    """Nobody else would ever look there; one whose writing was cut off has no name of its own yet."""
    daemon = make_daemon(text=rule())
    left = daemon.folder / "state" / "copies" / name
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a picture")

    await daemon.run_once()

    assert not left.exists()


async def test_sixty_megapixels_of_print_are_sent_as_large_as_any_result(make_daemon: DaemonMaker) -> None:
    """A TIFF of the largest cameras, lying on its side: upright, for screens, and within Adobe's limit."""
    daemon = make_daemon(text=rule())
    scan = Image.new("CMYK", (66, 99), (0, 200, 200, 0)).resize((9504, 6336), Image.Resampling.NEAREST)
    scan.save(daemon.photos / "scan.tif", compression="packbits", tiffinfo={0x0112: 6})
    before = hashlib.sha256((daemon.photos / "scan.tif").read_bytes()).hexdigest()
    written_ns = (daemon.photos / "scan.tif").stat().st_mtime_ns

    await daemon.run_once()

    (copy,) = received(daemon)
    done = daemon.photos / "_done" / "scan.tif"
    assert ("JPEG", "RGB", (2731, 4096)) == (copy.format, copy.mode, copy.size)
    assert daemon.books()["uploads"][0]["size_bytes"] <= 15_000_000
    assert 2 == daemon.books()["accepted"]
    assert before == hashlib.sha256(done.read_bytes()).hexdigest()
    assert written_ns == done.stat().st_mtime_ns


async def test_a_picture_that_is_all_right_is_sent_byte_for_byte(make_daemon: DaemonMaker) -> None:
    """No copy, nothing to say."""
    daemon = make_daemon(text=rule())
    path = daemon.photo()
    data = path.read_bytes()

    await daemon.run_once()

    (upload,) = daemon.books()["uploads"]
    assert data == daemon.world.content(upload["id"])
    assert {None} == {reference["prepared"] for each in sidecars(daemon) for reference in each["references"]}  # type: ignore[attr-defined]
