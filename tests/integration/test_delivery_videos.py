"""Videos on their way to disk: whole by their container, large ones in little memory."""

from __future__ import annotations

import io
import struct
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from PIL import Image

from dropglow.delivery.spool import Spool
from dropglow.disk import RealDisk
from dropglow.errors import DeliveryError
from dropglow.model import Artifact, Output

if TYPE_CHECKING:
    from tests.integration.conftest import Delivery

av = pytest.importorskip("av")

OUTPUT: Final = Output(index=0, seed=None, url="https://h/x?sig=secret")
MEGABYTE: Final = 1024 * 1024
C2PA_UUID: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """Makes clips of six frames, 64 by 48 pixels, as a player's own library writes them."""

    path: Path

    def film(
        self,
        kind: str = "mp4",
        codec: str = "mjpeg",
        *,
        flags: str = "",
        seen: bool = True,
        heard: bool = False,
    ) -> bytes:
        """Return a clip with pictures, with sound, or with both."""
        with av.open(self.path, "w", format=kind, options={"movflags": flags} if flags else {}) as film:
            pictures = film.add_stream(codec, rate=6, width=64, height=48) if seen else None
            sound = film.add_stream("aac", rate=44100, layout="stereo") if heard else None
            if pictures is not None:
                pictures.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                show(film, pictures)
            if sound is not None:
                be_silent(film, sound)
        return self.path.read_bytes()


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """Return a studio that keeps its own copy beside the outbox."""
    return Studio(path=tmp_path / "film")


def show(film: Any, pictures: Any) -> None:
    """Write six pictures of one colour each."""
    for shade in range(6):
        picture = Image.new("RGB", (64, 48), (shade * 40, 90, 160))
        film.mux(pictures.encode(av.VideoFrame.from_image(picture)))
    film.mux(pictures.encode(None))


def be_silent(film: Any, heard: Any) -> None:
    """Write a moment of silence."""
    silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
    silence.sample_rate, silence.pts = 44100, 0
    for plane in silence.planes:
        plane.update(bytes(plane.buffer_size))
    film.mux(heard.encode(silence))
    film.mux(heard.encode(None))


def frames_of(data: bytes) -> int:
    """Return how many pictures a player sees."""
    with av.open(io.BytesIO(data)) as film:
        return sum(1 for _ in film.decode(video=0))


def fetched(delivery: Delivery, data: bytes) -> Artifact:
    """Return what becomes of a download of *data* whose length was not announced."""
    file = Spool(RealDisk()).open(delivery.job, OUTPUT)
    file.write(data)
    return file.finish(expected_bytes=None)


@pytest.mark.parametrize(
    ("manner", "media_type", "extension"),
    [
        ({}, "video/mp4", ".mp4"),
        ({"codec": "mpeg4"}, "video/mp4", ".mp4"),
        ({"heard": True}, "video/mp4", ".mp4"),
        ({"flags": "faststart"}, "video/mp4", ".mp4"),
        ({"flags": "frag_keyframe+empty_moov"}, "video/mp4", ".mp4"),
        ({"kind": "mov"}, "video/quicktime", ".mov"),
    ],
    ids=["index last", "another codec", "with sound", "index first", "in fragments", "QuickTime"],
)
def test_what_a_player_plays_is_delivered(
    delivery: Delivery, studio: Studio, manner: dict[str, Any], media_type: str, extension: str
) -> None:
    """Whatever order a container keeps its pieces in, its size is found and its bytes stay as they came."""
    data = studio.film(**manner)

    artifact = fetched(delivery, data)

    assert 6 == frames_of(data)
    assert (media_type, extension) == (artifact.media_type, artifact.extension)
    assert (64, 48) == (artifact.width, artifact.height)
    assert [data] == list(delivery.files().values())


@pytest.mark.parametrize("flags", ["", "faststart", "frag_keyframe+empty_moov"])
@pytest.mark.parametrize("missing", [1, 7, 100, 1000])
def test_a_video_that_is_cut_off_is_refused(
    delivery: Delivery, studio: Studio, flags: str, missing: int
) -> None:
    """Wherever it ends too soon, nothing of it stays."""
    data = studio.film(flags=flags)

    with pytest.raises(DeliveryError, match="is cut off") as refused:
        fetched(delivery, data[:-missing])

    assert "fetched again" in refused.value.hint
    assert not delivery.files()


def test_a_sound_is_no_result(delivery: Delivery, studio: Studio) -> None:
    """The container of a video may hold none."""
    data = studio.film(seen=False, heard=True)

    with pytest.raises(DeliveryError, match="without pictures"):
        fetched(delivery, data)

    assert not delivery.files()


def test_content_credentials_of_a_video_are_noticed(delivery: Delivery, studio: Studio) -> None:
    """They stand in a box of their own beside the others, and players pass it over."""
    manifest = C2PA_UUID + bytes(4) + b"manifest\x00" + bytes(8) + b"jumb"
    plain = studio.film()
    data = plain + struct.pack(">I4s", 8 + len(manifest), b"uuid") + manifest

    assert 6 == frames_of(data)
    assert fetched(delivery, data).content_credentials
    assert not fetched(delivery, plain).content_credentials


def test_a_large_video_takes_little_memory(delivery: Delivery, studio: Studio) -> None:
    """A clip without loss has hundreds of megabytes; what is held of it at once does not grow with it."""
    plain = studio.film(flags="faststart")
    disk = RealDisk()
    piece = bytes(MEGABYTE)
    tracemalloc.start()
    try:
        file = Spool(disk).open(delivery.job, OUTPUT)
        file.write(plain + struct.pack(">I4s", 8 + 48 * MEGABYTE, b"free"))
        for _ in range(48):
            file.write(piece)
        artifact = file.finish(expected_bytes=len(plain) + 8 + 48 * MEGABYTE)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (64, 48) == (artifact.width, artifact.height)
    assert peak_bytes < MEGABYTE


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><html><body>Bad Gateway", "HTML"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (struct.pack(">I4s4s", 24, b"ftyp", b"avif") + bytes(12), "HEIC or AVIF"),
        (b"\x1aE\xdf\xa3\x93B\x82\x88matroska" + bytes(20), "unknown kind"),
    ],
)
def test_anything_else_is_refused_in_words(delivery: Delivery, data: bytes, words: str) -> None:
    """A page, a drawing, a still picture in a video's container and a foreign container are no results."""
    with pytest.raises(DeliveryError, match=words):
        fetched(delivery, data)

    assert not delivery.files()
