"""Copies of real pictures: what Firefly takes, made from what it would not, and the originals as they were."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from dropglow.disk import RealDisk
from dropglow.errors import DiskError, FileGone, SourceFault
from dropglow.fitness import MB, Demands
from dropglow.intake.copies import Copies, Made
from dropglow.intake.inspect import examine
from dropglow.model import Facts
from dropglow.preparing import Copy, Stripped, plan

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RED, GREEN, BLUE, WHITE = (250, 10, 10), (10, 250, 10), (10, 10, 250), (245, 245, 245)
SMALL = Demands(largest_bytes=MB)
MASKED = Demands(keeps_size=True)
MASK = Demands(keeps_size=True, exact=True)


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    return Copies(str(tmp_path / "state" / "copies"), RealDisk())


def corners(width: int = 300, height: int = 200, mode: str = "RGB") -> Image.Image:
    """Return a picture that shows how it is turned: red, green, blue, white from its upper left."""
    quarters = Image.new("RGB", (2, 2))
    for place, colour in zip(((0, 0), (1, 0), (0, 1), (1, 1)), (RED, GREEN, BLUE, WHITE), strict=True):
        quarters.putpixel(place, colour)
    return quarters.resize((width, height), Image.Resampling.NEAREST).convert(mode)


def seen(picture: Image.Image) -> list[str]:
    """Return the names of the colours in the corners, from the upper left."""
    width, height = picture.size
    places = ((5, 5), (width - 6, 5), (5, height - 6), (width - 6, height - 6))
    return [_named(picture.convert("RGB").getpixel(place)) for place in places]


def _named(pixel: Any) -> str:
    known = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    return min(known, key=lambda name: sum((a - b) ** 2 for a, b in zip(known[name], pixel, strict=True)))


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)  # Pillow writes no TIFF otherwise
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 36.0)}
    return exif


def facts_of(path: Path) -> Facts:
    with RealDisk().open_read(str(path)) as stream:
        return examine(stream, path.name)


def made(copies: Copies, path: Path, demands: Demands = SMALL, *, stripped: bool = False) -> Made:
    facts = facts_of(path)
    assert facts.fault is None
    planned = plan(facts, demands, prepared=True, stripped=stripped)
    assert isinstance(planned, Copy | Stripped)
    before = path.read_bytes(), path.stat()
    copy = copies.make(str(path), facts, planned)
    after = path.stat()
    assert before[0] == path.read_bytes()
    assert (before[1].st_mtime_ns, before[1].st_ino) == (after.st_mtime_ns, after.st_ino)
    return copy


def opened(copy: Made) -> Image.Image:
    picture = Image.open(copy.path)
    picture.load()
    return picture


UPRIGHT = ["red", "green", "blue", "white"]


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_every_rotation_is_undone(copies: Copies, tmp_path: Path, kind: str, orientation: int) -> None:
    """The copy shows upright what a viewer shows, and says nothing of rotation any more."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    path = tmp_path / f"beach.{kind}"
    corners().transpose(undo[orientation]).save(path, exif=turned(orientation))

    copy = opened(made(copies, path))

    assert (300, 200) == copy.size
    assert seen(copy) == UPRIGHT
    assert not copy.getexif()


def test_a_large_print_scan_that_lies_on_its_side_comes_out_right(copies: Copies, tmp_path: Path) -> None:
    """Sixty megapixels of CMYK: upright, in screen colours, as large as any result, and small enough."""
    scan = tmp_path / "scan.tif"
    upright = corners(66, 99, "CMYK").transpose(Image.Transpose.ROTATE_90)
    upright.resize((9504, 6336), Image.Resampling.NEAREST).save(
        scan, compression="packbits", tiffinfo={0x0112: 6}
    )

    copy = made(copies, scan, Demands())

    picture = opened(copy)
    assert ("RGB", (2731, 4096)) == (picture.mode, picture.size)
    assert seen(picture) == UPRIGHT
    assert copy.size_bytes <= 15_000_000


def test_a_noisy_png_becomes_a_jpeg_that_is_small_enough(copies: Copies, tmp_path: Path) -> None:
    """24 MB that no lossless way makes smaller."""
    noisy = tmp_path / "noise.png"
    noise = random.Random(1).randbytes(2900 * 2900 * 3)
    Image.frombytes("RGB", (2900, 2900), noise).save(noisy, compress_level=1)
    assert noisy.stat().st_size > 24 * 1000 * 1000

    copy = made(copies, noisy, Demands())

    assert ("image/jpeg", (2900, 2900)) == (copy.media_type, opened(copy).size)
    assert copy.size_bytes <= 15_000_000


@pytest.mark.parametrize("progressive", [True, False])
def test_print_colours_of_a_jpeg_are_right(copies: Copies, tmp_path: Path, progressive: bool) -> None:
    """Adobe's programs store them inverted, and say so in a segment of their own."""
    path = tmp_path / "print.jpg"
    corners(mode="CMYK").save(path, progressive=progressive, quality=95)

    copy = opened(made(copies, path))

    assert ("RGB", UPRIGHT) == (copy.mode, seen(copy))


def test_lab_becomes_what_it_looks_like(copies: Copies, tmp_path: Path) -> None:
    """By the one meaning that Lab has."""
    screen, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(corners(), screen, lab, outputMode="LAB")
    assert converted is not None
    converted.save(tmp_path / "lab.tif")

    copy = opened(made(copies, tmp_path / "lab.tif"))

    assert seen(copy) == UPRIGHT


def red_press() -> bytes:
    """Return the colour profile of a press whose every ink is red: whoever ignores it is found out."""
    paper, red = (255, 128, 128), (136, 208, 195)  # Lab in bytes
    inks = b"".join(bytes(red if any_ink else paper) for any_ink in range(16))
    identity = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    white = struct.pack(">3i", 63190, 65536, 54061)
    curve = bytes(range(256))
    tags = (
        (b"desc", b"desc" + bytes(4) + struct.pack(">I", 4) + b"red\0" + bytes(80)),
        (b"cprt", b"text" + bytes(4) + b"nobody's"),
        (b"wtpt", b"XYZ " + bytes(4) + white),
        (b"A2B0", b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + curve * 4 + inks + curve * 3),
    )
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags:
        table += name + struct.pack(">2I", 128 + 4 + 12 * len(tags) + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = 128 + len(table) + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + white
    return head.ljust(128, b"\0") + table + data


def test_print_colours_mean_what_their_profile_says(copies: Copies, tmp_path: Path) -> None:
    """Cyan ink on a press that prints red is red; the profile itself stays behind."""
    path = tmp_path / "press.tif"
    Image.new("CMYK", (40, 40), (255, 0, 0, 0)).save(path, icc_profile=red_press())

    copy = opened(made(copies, path))

    pixel = copy.getpixel((20, 20))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 100 > pixel[1] + pixel[2]
    assert "icc_profile" not in copy.info


def test_a_profile_that_does_not_fit_is_not_followed(copies: Copies, tmp_path: Path) -> None:
    """A screen's profile in a print picture is somebody's mistake; a broken one is, too."""
    for name, profile in (("screen", SRGB), ("broken", b"no profile")):
        corners(mode="CMYK").save(tmp_path / f"{name}.jpg", icc_profile=profile, quality=95)

        assert seen(opened(made(copies, tmp_path / f"{name}.jpg"))) == UPRIGHT


def test_the_profile_of_a_screen_goes_along(copies: Copies, tmp_path: Path) -> None:
    """Wide colours keep their meaning."""
    corners().save(tmp_path / "wide.jpg", exif=turned(3), icc_profile=SRGB)

    assert SRGB == opened(made(copies, tmp_path / "wide.jpg")).info["icc_profile"]


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_grey_of_sixteen_bits_keeps_its_shades(copies: Copies, tmp_path: Path, kind: str) -> None:
    """A plain conversion would make nearly all of it white."""
    shades = b"".join((shade * 257).to_bytes(2, "little") for shade in range(256))
    Image.frombytes("I;16", (256, 1), shades).resize((256, 64)).save(tmp_path / f"grey.{kind}")

    copy = opened(made(copies, tmp_path / f"grey.{kind}"))

    assert ("L", bytes(range(256))) == (copy.mode, copy.crop((0, 0, 256, 1)).tobytes())


def png16(pixels: list[tuple[int, ...]], *, key: tuple[int, ...] = ()) -> bytes:
    """Return a PNG of one row with 16 bits a channel, which Pillow does not write."""
    row = b"\0" + b"".join(value.to_bytes(2, "big") for pixel in pixels for value in pixel)
    colour = {1: 0, 3: 2, 4: 6}[len(pixels[0])]
    head = len(pixels).to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes([16, colour, 0, 0, 0])
    chunks = [(b"IHDR", head)]
    if key:
        chunks.append((b"tRNS", b"".join(value.to_bytes(2, "big") for value in key)))
    chunks += [(b"IDAT", zlib.compress(row)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
        for name, data in chunks
    )


@pytest.mark.parametrize(
    ("pixels", "key", "expected"),
    [
        ([(65535, 32768, 0), (0, 0, 65535)], (), [(255, 128, 0, 255), (0, 0, 255, 255)]),
        ([(65535, 0, 0, 0), (0, 0, 65535, 65535)], (), [(255, 0, 0, 0), (0, 0, 255, 255)]),
        ([(65535, 0, 0), (0, 0, 65535)], (65535, 0, 0), [(255, 0, 0, 0), (0, 0, 255, 255)]),
        ([(65535,), (0,)], (65535,), [(255, 255, 255, 0), (0, 0, 0, 255)]),
    ],
)
def test_colours_of_sixteen_bits_keep_their_transparency(
    copies: Copies,
    tmp_path: Path,
    pixels: list[tuple[int, ...]],
    key: tuple[int, ...],
    expected: list[tuple[int, ...]],
) -> None:
    """Be it a channel or a colour that stands for nothing."""
    (tmp_path / "deep.png").write_bytes(png16(pixels, key=key))

    copy = opened(made(copies, tmp_path / "deep.png")).convert("RGBA")

    assert expected == [copy.getpixel((at, 0)) for at in range(2)]


@pytest.mark.parametrize(
    ("name", "media_type"), [("a.gif", "image/png"), ("a.bmp", "image/png"), ("a.avif", "image/jpeg")]
)
def test_formats_that_firefly_does_not_read_are_converted(
    copies: Copies, tmp_path: Path, name: str, media_type: str
) -> None:
    """Drawings exactly, photographs as JPEG."""
    corners().save(tmp_path / name)

    copy = made(copies, tmp_path / name)

    assert media_type == copy.media_type
    assert seen(opened(copy)) == UPRIGHT


@pytest.mark.parametrize("kind", ["gif", "png"])
@pytest.mark.parametrize("width", [100, 5000])
def test_a_palette_keeps_its_transparency(copies: Copies, tmp_path: Path, kind: str, width: int) -> None:
    """Composites live on it; also where the copy is smaller."""
    picture = Image.new("P", (width, 100))
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.paste(1, (0, 0, width // 2, 100))
    picture.save(tmp_path / f"logo.{kind}", transparency=0)

    copy = opened(made(copies, tmp_path / f"logo.{kind}", Demands(largest_bytes=MB), stripped=True))

    right = copy.convert("RGBA").getpixel((copy.width - 3, 50))
    left = copy.convert("RGBA").getpixel((3, 50))
    assert isinstance(right, tuple)
    assert 0 == right[3]
    assert (0, 255, 0, 255) == left


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("demands", [SMALL, MASKED, MASK])
def test_every_mode_of_a_tiff_has_a_way(copies: Copies, tmp_path: Path, mode: str, demands: Demands) -> None:
    """Large or with a mask, transparent or not."""
    corners(4400, 60).convert(mode).save(tmp_path / "any.tif", tiffinfo={0x0112: 3})

    copy = opened(made(copies, tmp_path / "any.tif", demands))

    assert (4400 if demands.keeps_size else 4096) == copy.width


def test_a_picture_with_a_mask_loses_quality_and_no_pixel(copies: Copies, tmp_path: Path) -> None:
    """The steps go down until it fits; below the last one it is refused."""
    noise = Image.frombytes("RGB", (1000, 1000), random.Random(2).randbytes(3_000_000))
    noise.save(tmp_path / "noise.png")

    copy = opened(made(copies, tmp_path / "noise.png", Demands(largest_bytes=MB, keeps_size=True)))

    assert ("JPEG", (1000, 1000)) == (copy.format, copy.size)
    Image.frombytes("RGB", (2000, 2000), random.Random(3).randbytes(12_000_000)).save(tmp_path / "worse.png")
    with pytest.raises(SourceFault, match="even after everything that may be done to it"):
        made(copies, tmp_path / "worse.png", Demands(largest_bytes=MB, keeps_size=True))


def test_a_mask_loses_nothing(copies: Copies, tmp_path: Path) -> None:
    """It is sent exactly, or not at all."""
    mask = Image.frombytes("L", (900, 900), random.Random(4).randbytes(810_000))
    mask.save(tmp_path / "mask.bmp")
    mask.resize((1200, 1200)).save(tmp_path / "worse.bmp")

    copy = opened(made(copies, tmp_path / "mask.bmp", Demands(largest_bytes=MB, keeps_size=True, exact=True)))

    assert mask.tobytes() == copy.convert("L").tobytes()
    with pytest.raises(SourceFault, match="even after everything"):
        made(copies, tmp_path / "worse.bmp", Demands(largest_bytes=MB, keeps_size=True, exact=True))


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_the_place_is_gone_and_every_pixel_is_there(copies: Copies, tmp_path: Path, kind: str) -> None:
    """Metadata can be left out without a loss."""
    path = tmp_path / f"beach.{kind}"
    Image.effect_noise((120, 90), 60).convert("RGB").save(path, exif=turned(1), icc_profile=SRGB)
    assert facts_of(path).located

    copy = opened(made(copies, path, Demands(), stripped=True))

    assert Image.open(path).tobytes() == copy.tobytes()
    assert not copy.getexif()
    assert SRGB == copy.info["icc_profile"]


def test_a_copy_carries_no_notes_of_the_original(copies: Copies, tmp_path: Path) -> None:
    """Comments, resolution and programs' names are not pixels."""
    corners().save(tmp_path / "noted.jpg", exif=turned(6), comment=b"secret", dpi=(300, 300))
    corners().save(tmp_path / "noted.gif", comment=b"secret")

    for name in ("noted.jpg", "noted.gif"):
        assert b"secret" not in Path(made(copies, tmp_path / name).path).read_bytes()


def test_copies_are_private_and_removed(copies: Copies, tmp_path: Path) -> None:
    """Nobody else reads along, and nothing is left behind."""
    corners().save(tmp_path / "a.bmp")

    copy = made(copies, tmp_path / "a.bmp")

    assert 0o600 == Path(copy.path).stat().st_mode & 0o777
    copies.remove(copy)
    copies.remove(copy)
    assert [] == list((tmp_path / "state" / "copies").iterdir())


def test_leftovers_of_a_crash_are_swept(copies: Copies, tmp_path: Path) -> None:
    """At the next start; there may be no folder yet."""
    copies.sweep_leftovers()
    corners().save(tmp_path / "a.bmp")
    made(copies, tmp_path / "a.bmp")

    copies.sweep_leftovers()

    assert [] == list((tmp_path / "state" / "copies").iterdir())


def test_a_picture_that_breaks_while_it_is_copied_is_told_as_damaged(copies: Copies, tmp_path: Path) -> None:
    """It was looked through before; a share may still lose its end."""
    path = tmp_path / "a.bmp"
    corners().save(path)
    facts = facts_of(path)
    planned = plan(facts, SMALL, prepared=True, stripped=False)
    assert isinstance(planned, Copy)
    path.write_bytes(path.read_bytes()[:1000])

    with pytest.raises(SourceFault, match="cut off"):
        copies.make(str(path), facts, planned)


def test_a_picture_that_is_gone_is_told_as_gone(copies: Copies, tmp_path: Path) -> None:
    """Whoever asked decides what that means."""
    corners().save(tmp_path / "a.bmp")
    facts = facts_of(tmp_path / "a.bmp")
    planned = plan(facts, SMALL, prepared=True, stripped=False)
    assert isinstance(planned, Copy)

    with pytest.raises(FileGone):
        copies.make(str(tmp_path / "b.bmp"), facts, planned)


def test_a_folder_that_cannot_be_made_is_a_fault_of_the_disk(tmp_path: Path) -> None:
    """It may be tried again later."""
    (tmp_path / "state").write_text("a file")
    corners().save(tmp_path / "a.bmp")

    with pytest.raises(DiskError):
        made(Copies(str(tmp_path / "state" / "copies"), RealDisk()), tmp_path / "a.bmp")


def test_a_wide_gamut_picture_that_fits_is_left_alone(tmp_path: Path) -> None:
    """Its profile tells what its colours mean, and Firefly gets both."""
    stream = io.BytesIO()
    corners().save(stream, "JPEG", icc_profile=SRGB)
    (tmp_path / "wide.jpg").write_bytes(stream.getvalue())
    planned = plan(facts_of(tmp_path / "wide.jpg"), Demands(), prepared=True, stripped=False)

    assert "AsIs" == type(planned).__name__
