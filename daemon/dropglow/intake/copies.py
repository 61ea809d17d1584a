"""Make the copy of a picture that is sent in its place, as a file of its own. The original is only read.

It decodes, by itself or through whoever it is given for that; either way it blocks. One large picture is in memory at a time, at up to eight bytes a pixel:
half a gigabyte for sixty megapixels of CMYK, 1.2 GB for the largest that is accepted.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final, assert_never
from uuid import uuid4

from PIL import Image, ImageCms

from dropglow.disk import Disk, translated
from dropglow.errors import DiskError, FileGone, SourceFault
from dropglow.intake.pictures import BROKEN, heavy, load, opened
from dropglow.intake.stripping import strip
from dropglow.model import Facts, Format
from dropglow.preparing import Copy, Encoding, Stripped, megabytes

COPIES_FOLDER: Final = "copies"  # in the state folder

MEDIA_TYPES: Final = {
    Format.JPEG: "image/jpeg",
    Format.PNG: "image/png",
    Format.WEBP: "image/webp",
    Format.TIFF: "image/tiff",
    Format.JXL: "image/jxl",
}

# What undoes each EXIF orientation.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS: Final = frozenset({5, 6, 7, 8})
_FULL_CHROMA: Final = 90  # from this quality on, a JPEG keeps the colour of every pixel
_ENDING: Final = ".upload"
_UNFINISHED: Final = ".tmp"  # what `Disk.write` calls a file until it is whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A copy that was made. Belongs to whoever asked for it, until ``Copies.remove``."""

    path: str
    media_type: str
    format: Format
    size_bytes: int


def copied(stream: BinaryIO, facts: Facts, wanted: Copy | Stripped) -> tuple[Format, bytes]:
    """Return the format and the bytes of the copy that was planned from *facts*.

    Raises:
        SourceFault: It is damaged, or it cannot be made small enough.
        MemoryError: There is too little memory.
        OSError: It cannot be read.
    """
    assert facts.format is not None, "only pictures are copied"
    match wanted:
        case Stripped():
            stream.seek(0)
            return facts.format, strip(stream.read(), facts.format)
        case Copy():
            return _converted(stream, facts, facts.format, wanted)
        case _:
            assert_never(wanted)


class Copies:
    """Makes copies in a folder of its own, and clears away those that a crash left."""

    def __init__(
        self,
        folder: str,
        disk: Disk,
        *,
        copier: Callable[[BinaryIO, Facts, Copy | Stripped], tuple[Format, bytes]] = copied,
    ) -> None:
        """Keep copies in *folder*, which is made when needed and holds nothing else; *copier* decodes and encodes."""
        self._folder = folder
        self._disk = disk
        self._copier = copier

    def sweep_leftovers(self) -> None:
        """Remove every copy, also one that was cut off while it was written. For a start, before anything is uploaded.

        Raises:
            DiskError: The folder refuses. One that is not there has nothing to sweep.
        """
        try:
            names = self._disk.names(self._folder)
        except FileGone:
            return
        for name in names:
            if name.endswith((_ENDING, _UNFINISHED)):
                self._disk.remove(f"{self._folder}/{name}")

    def make(self, source: str, facts: Facts, wanted: Copy | Stripped) -> Made:
        """Make the copy of *source* that was planned from *facts*.

        Raises:
            SourceFault: It is damaged, or it cannot be made small enough.
            FileGone: It is no longer there.
            DiskFull: There is no room for the copy.
            DiskError: It cannot be read, or the copy cannot be written.
        """
        with self._disk.open_read(source) as stream, translated("read", source):
            form, data = self._copier(stream, facts, wanted)
        path = f"{self._folder}/{uuid4().hex}{_ENDING}"
        self._disk.make_folder(self._folder, mode=0o700)
        self._disk.write(path, data, mode=0o600)
        return Made(path=path, media_type=MEDIA_TYPES[form], format=form, size_bytes=len(data))

    def remove(self, made: Made) -> None:
        """Remove a copy; what refuses here is swept at the next start."""
        with suppress(DiskError):
            self._disk.remove(made.path)


def _converted(stream: BinaryIO, facts: Facts, picture: Format, wanted: Copy) -> tuple[Format, bytes]:
    with heavy((facts.width or 0) * (facts.height or 0)):
        pixels, profile = _pixels(stream, facts, picture, wanted)
        return _encoded(pixels, wanted, profile=None if wanted.to_srgb else profile)


def _pixels(
    stream: BinaryIO, facts: Facts, picture: Format, wanted: Copy
) -> tuple[Image.Image, bytes | None]:
    """Return the pixels of the copy, and the profile that came along.

    What makes them fewer comes first, and each step lets go of the one before.
    """
    loaded = opened(stream, picture)
    profile = loaded.info.get("icc_profile")
    size = _stored_size(facts, picture, wanted)
    loaded.draft(None, size)
    load(loaded, picture)
    image: Image.Image = loaded
    del loaded
    try:
        image = _eight_bits(image) if facts.bits > 8 else image
        image = _plain(image, palettes=image.size == size)
        image = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
        image = _in_srgb(image, profile) if wanted.to_srgb else image
        if picture is not Format.TIFF and facts.orientation in _TURNS:
            image = image.transpose(_TURNS[facts.orientation])
    except BROKEN as error:
        raise _unconvertible() from error
    # Pillow's writers would carry comments and their like along.
    image.info = {key: value for key, value in image.info.items() if key == "transparency"}
    return image, profile


def _stored_size(facts: Facts, picture: Format, wanted: Copy) -> tuple[int, int]:
    """Return the copy's size as it is before it is turned; Pillow turns TIFFs by itself."""
    lying = facts.orientation in _QUARTER_TURNS and picture is not Format.TIFF
    return (wanted.height, wanted.width) if lying else (wanted.width, wanted.height)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return 8 bits a channel; Pillow brings all colours to that while it reads them, but neither grey nor the key."""
    key = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")  # a plain conversion clips instead
    if isinstance(key, int):
        image.info["transparency"] = key >> 8
    elif isinstance(key, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image


def _plain(image: Image.Image, *, palettes: bool) -> Image.Image:
    """Return the picture in a mode that every writer knows; without *palettes*, in one that can be resized."""
    keyed = "transparency" in image.info
    match image.mode:
        case "CMYK" | "LAB" | "LA" | "RGBA":
            return image
        case "1" | "L" | "P" | "RGB" if palettes:
            return image
        case "1" | "L":
            return image.convert("LA" if keyed else "L")
        case "La":
            return image.convert("LA")
        case _:
            return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return print colours as screen colours: by the profile that came along, else plainly."""
    screen = ImageCms.createProfile("sRGB")
    if image.mode == "LAB":
        source: ImageCms.ImageCmsProfile | None = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    else:
        source = _usable(profile, image.mode)
    if source is None:
        return image.convert("RGB")
    converted = ImageCms.profileToProfile(image, source, screen, outputMode="RGB")
    assert converted is not None, "it was not asked to convert in place"
    return converted


def _usable(profile: bytes | None, mode: str) -> ImageCms.ImageCmsProfile | None:
    if not profile:
        return None
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, TypeError, ValueError):
        return None
    return found if found.profile.xcolor_space.strip() == mode else None


def _encoded(image: Image.Image, wanted: Copy, *, profile: bytes | None) -> tuple[Format, bytes]:
    data = b""
    for encoding in wanted.encodings:
        try:
            data = _written(image, encoding, profile)
        except BROKEN as error:
            raise _unconvertible() from error
        if len(data) <= wanted.largest_bytes:
            return encoding.format, data
    raise SourceFault(
        f"the picture has {megabytes(len(data))} even after everything that may be done to it,"
        f" and Firefly takes at most {wanted.largest_bytes // 1_000_000} MB here",
        hint="make it smaller and drop it again",
    )


def _written(image: Image.Image, encoding: Encoding, profile: bytes | None) -> bytes:
    out = io.BytesIO()
    match encoding.format:
        case Format.JPEG:
            chroma = 0 if encoding.quality is not None and encoding.quality >= _FULL_CHROMA else 2
            picture = (
                image if image.mode in {"L", "RGB"} else image.convert("L" if image.mode == "1" else "RGB")
            )
            picture.save(out, "JPEG", quality=encoding.quality, subsampling=chroma, icc_profile=profile)
        case Format.PNG:
            image.save(out, "PNG", icc_profile=profile)
        case Format.WEBP:
            exactly = encoding.quality is None
            image.save(
                out, "WEBP", lossless=exactly, quality=encoding.quality or 80, icc_profile=profile or b""
            )
        case _:
            raise ValueError(f"no copy is written as {encoding.format}")
    return out.getvalue()


def _unconvertible() -> SourceFault:
    return SourceFault(
        "the picture cannot be converted: its colours or its colour profile are damaged",
        hint="open it in an image program, save it as JPEG in sRGB, and drop that",
    )
