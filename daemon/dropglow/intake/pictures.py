"""Tell what picture a file holds, how large it is, and whether all of it is there.

The bytes decide, never the name. Pillow's readers are called one by one,
chosen by signature: its general ``open`` would also take EPS, and warns of
bombs through process-wide filters that threads cannot share. Nothing here
decodes more pixels than ``MAX_PIXELS``, and never two large pictures at once.
"""

from __future__ import annotations

import contextlib
import errno
import struct
import threading
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, assert_never

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from dropglow.errors import SourceFault, Unfinished
from dropglow.intake.endings import ends
from dropglow.intake.pages import pages
from dropglow.model import Colours, Facts, Format, Kind

# The largest cameras take about a hundred million; a bomb of 50 kB can claim
# four hundred, and each one costs up to eight bytes of memory.
MAX_PIXELS: Final = 150_000_000
Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow's own bound is lower, and warns on standard error
LARGE_PIXELS: Final = 16_000_000

# What Pillow's readers are known to raise on damaged files. Running out of memory proves no damage.
BROKEN: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,  # a picture of palette colours without a palette
    EOFError,
    RuntimeError,
    Image.DecompressionBombError,  # in a part that the header does not tell of, as a GIF's frame
    Warning,  # where the process turns warnings into errors
    struct.error,
    zlib.error,
)

_QUARTER_TURNS: Final = frozenset({5, 6, 7, 8})
_ORIENTATIONS: Final = range(1, 9)
_PNG_DEPTH_AT: Final = 24  # of the byte in IHDR, which comes first
CUT_OFF: Final = "the picture is cut off: it ends before its last line of pixels"
COPY_AGAIN: Final = "copy it again, whole"
_COLOURS: Final = {
    "1": Colours.GREY,
    "L": Colours.GREY,
    "LA": Colours.GREY,
    "La": Colours.GREY,
    "P": Colours.PALETTE,
    "PA": Colours.PALETTE,
    "CMYK": Colours.CMYK,
    "LAB": Colours.LAB,
    "I": Colours.NUMBERS,
    "F": Colours.NUMBERS,
}
_SPELLED: Final = {
    Format.JPEG: "a JPEG",
    Format.PNG: "a PNG",
    Format.WEBP: "a WebP",
    Format.TIFF: "a TIFF",
    Format.JXL: "a JPEG XL",
    Format.GIF: "a GIF",
    Format.BMP: "a BMP",
    Format.AVIF: "an AVIF",
}
_LARGE: Final = threading.Lock()
# None: the error is Pillow's own. The others are what a file system says to an offset that no file has.
_OF_THE_FILE: Final = frozenset({None, errno.EINVAL, errno.EOVERFLOW})


def look(stream: BinaryIO, picture: Format) -> Facts:
    """Return what the picture's header tells; of JPEG XL, which Pillow does not read, only its format.

    Reads the headers only, but all of a WebP or an AVIF.

    Raises:
        SourceFault: There is no sound header, or it announces too many pixels.
        MemoryError: There is too little memory.
        OSError: It cannot be read.
    """
    facts = Facts(kind=Kind.IMAGE, format=picture)
    if picture is Format.JXL:
        return facts
    image = opened(stream, picture)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise SourceFault(
            f"the picture has {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million",
            hint="make it smaller and drop it again",
        )
    with _judged(picture):
        return _described(stream, image, picture)


def decode(stream: BinaryIO, picture: Format) -> None:
    """Decode the whole picture and throw it away. ``look`` must have accepted it.

    Costs up to eight bytes of memory a pixel for a while: 1.2 GB for the largest that is accepted.

    Raises:
        SourceFault: It is a bomb.
        Unfinished: It is cut off or damaged.
        MemoryError: There is too little memory.
        OSError: It cannot be read.
    """
    if picture is Format.JXL:
        return
    if not ends(stream, picture):
        raise Unfinished(CUT_OFF, hint=COPY_AGAIN)
    image = opened(stream, picture)
    # An eighth of the size still reads all of a JPEG's data, with a sixty-fourth of the memory.
    image.draft("L", (1, 1))
    with heavy(image.width * image.height):
        load(image, picture)


def opened(stream: BinaryIO, picture: Format) -> ImageFile.ImageFile:
    """Return Pillow's picture over *stream*, its header read and nothing decoded.

    Raises:
        SourceFault: There is no sound header.
        OSError: It cannot be read.
    """
    if picture is Format.AVIF and not AvifImagePlugin.SUPPORTED:
        raise SourceFault(
            "this is an AVIF file, and the Pillow that is installed here was built without its reader",
            hint="save it as JPEG or PNG and drop that, or install Pillow's own build",
        )
    stream.seek(0)
    with _judged(picture):
        return _reader(stream, picture)


def load(image: ImageFile.ImageFile, picture: Format) -> None:
    """Decode *image* to its last pixel.

    Raises:
        SourceFault: It is cut off or damaged.
        OSError: It cannot be read.
    """
    with _judged(picture):
        image.load()


@contextlib.contextmanager
def heavy(pixels: int) -> Iterator[None]:
    """Hold off every other thread that has a large picture in memory, if this is one."""
    if pixels < LARGE_PIXELS:
        yield
        return
    with _LARGE:
        yield


def _reader(stream: BinaryIO, picture: Format) -> ImageFile.ImageFile:
    match picture:
        case Format.JPEG:
            return JpegImagePlugin.JpegImageFile(stream)
        case Format.PNG:
            return PngImagePlugin.PngImageFile(stream)
        case Format.WEBP:
            return WebPImagePlugin.WebPImageFile(stream)
        case Format.TIFF:
            return TiffImagePlugin.TiffImageFile(stream)
        case Format.GIF:
            return GifImagePlugin.GifImageFile(stream)
        case Format.BMP:
            return BmpImagePlugin.BmpImageFile(stream)
        case Format.AVIF:
            return AvifImagePlugin.AvifImageFile(stream)
        case Format.JXL:
            raise ValueError("Pillow does not read JPEG XL")
        case _:
            assert_never(picture)


def _described(stream: BinaryIO, image: ImageFile.ImageFile, picture: Format) -> Facts:
    width, height = image.size
    exif = _exif(image)
    orientation = exif.get(ExifTags.Base.Orientation, 1)
    if orientation not in _ORIENTATIONS:
        orientation = 1
    # Pillow tells a TIFF's size as it is seen already.
    if orientation in _QUARTER_TURNS and picture is not Format.TIFF:
        width, height = height, width
    return Facts(
        kind=Kind.IMAGE,
        format=picture,
        width=width,
        height=height,
        colours=_COLOURS.get(image.mode, Colours.GREY if image.mode.startswith("I;16") else Colours.RGB),
        bits=_bits(stream, image),
        frames=_frames(stream, image),
        orientation=orientation,
        transparent=image.has_transparency_data,
        located=ExifTags.Base.GPSInfo in exif,
    )


def _exif(image: ImageFile.ImageFile) -> Image.Exif:
    # Pillow decodes a whole PNG to look for EXIF data behind the pixels.
    if isinstance(image, PngImagePlugin.PngImageFile) and "exif" not in image.info:
        return Image.Exif()
    try:
        return image.getexif()
    except BROKEN:  # a broken EXIF block does not make a broken picture
        return Image.Exif()


def _bits(stream: BinaryIO, image: ImageFile.ImageFile) -> int:
    if isinstance(image, PngImagePlugin.PngImageFile):
        stream.seek(_PNG_DEPTH_AT)
        return max(8, stream.read(1)[0])
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(8, *map(int, image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (8,))))
    return 8


def _frames(stream: BinaryIO, image: ImageFile.ImageFile) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return pages(stream)
    if isinstance(image, GifImagePlugin.GifImageFile):  # to count them all is to read all of it
        return 2 if image.is_animated else 1
    return int(getattr(image, "n_frames", 1))


@contextlib.contextmanager
def _judged(picture: Format) -> Iterator[None]:
    """Translate what Pillow raises on a file that is not sound; what the disk says is let through."""
    try:
        yield
    except BROKEN as error:
        if _of_the_disk(error):
            raise
        if "truncated" in str(error):
            raise Unfinished(CUT_OFF, hint=COPY_AGAIN) from error
        raise _refusal(error, picture) from error


def _of_the_disk(error: BaseException) -> bool:
    """Return whether it is the disk that speaks, and not Pillow, nor a damaged file that points nowhere."""
    return isinstance(error, OSError) and error.errno not in _OF_THE_FILE


def _refusal(error: BaseException, picture: Format) -> SourceFault:
    if isinstance(error, Image.DecompressionBombError):
        return SourceFault(
            "a part of the picture claims more pixels than are ever opened: it is damaged, or made to do harm",
            hint="open it in an image program, save it afresh, and drop it again",
        )
    # A part that is not written yet looks like damage: some writers fill a file from several places at once.
    return Unfinished(
        f"the picture is damaged: it begins like {_SPELLED[picture]}, and cannot be decoded",
        hint="open it in an image program, save it afresh, and drop it again",
    )
