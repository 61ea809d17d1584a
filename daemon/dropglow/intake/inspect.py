"""Look inside a file: what it is, and what keeps it from being used.

A *glance* reads the first bytes, enough to match a rule, and may be repeated; an
*examination* reads and decodes everything, once, after the claim. A fault does not
stop a file from matching: it is to end in ``_failed`` with a reason, and not
in an inbox with none.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from typing import BinaryIO, Final

from dropglow.errors import SourceFault, Unfinished
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.endings import seems_cut
from dropglow.intake.pictures import COPY_AGAIN, CUT_OFF
from dropglow.intake.prompts import MAX_PROMPT_BYTES, read_prompt
from dropglow.intake.signatures import HEAD_BYTES, READABLE, SIGNATURE_BYTES, foreign_format, signature
from dropglow.model import Facts, Format, Kind
from dropglow.preparing import LARGEST_FILE_BYTES

PROMPT_EXTENSIONS: Final = frozenset({".prompt", ".txt"})
READABLE_EXTENSIONS: Final = frozenset(
    {
        ".avif",
        ".bmp",
        ".dib",
        ".gif",
        ".jfif",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".jxl",
        ".png",
        ".tif",
        ".tiff",
        ".webp",
    }
)
# Camera raws are TIFF inside, so that only their names tell them from pictures.
RAW_EXTENSIONS: Final = frozenset({
    ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".iiq", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2",
    ".sr2", ".srw",
})  # fmt: skip
OTHER_EXTENSIONS: Final = frozenset({
    ".ai", ".eps", ".exr", ".hdr", ".heic", ".heif", ".hif", ".ico", ".j2k", ".jp2",
    ".jpx", ".mpo", ".pcx", ".pgm", ".ppm", ".psb", ".psd", ".svg", ".tga", ".xcf",
})  # fmt: skip

_IMAGE_EXTENSIONS: Final = READABLE_EXTENSIONS | RAW_EXTENSIONS | OTHER_EXTENSIONS
_CONVERT: Final = "save it as JPEG or PNG and drop that"
_WITH_AN: Final = frozenset({"EPS", "HTML", "ICO", "SVG", "XML"})


def glance(stream: BinaryIO, path: str, *, decoder: Decoder = IN_PROCESS) -> Facts:
    """Return what the first bytes of the open file and its name tell. A prompt is read whole.

    Raises:
        OSError: It cannot be read.
    """
    extension = posixpath.splitext(path)[1].lower()
    head = stream.read(HEAD_BYTES)
    picture = signature(head)
    if picture is not None:
        return _picture(stream, picture, extension, os.fstat(stream.fileno()).st_size, decoder)
    if extension in PROMPT_EXTENSIONS:
        # What is shorter than was asked for is all that there is.
        rest = stream.read(MAX_PROMPT_BYTES + 1) if len(head) == HEAD_BYTES else b""
        return _prompt(head + rest)
    if extension in _IMAGE_EXTENSIONS:
        return _faulty(Facts(kind=Kind.IMAGE), _no_picture(head, extension))
    return Facts()


def examine(stream: BinaryIO, path: str, *, decoder: Decoder = IN_PROCESS) -> Facts:
    """Return what ``glance`` tells, after decoding the picture to its last pixel.

    Raises:
        OSError: It cannot be read.
    """
    facts = glance(stream, path, decoder=decoder)
    if facts.format is None or facts.fault is not None:
        return facts
    try:
        decoder.decode(stream, facts)
    except SourceFault as fault:
        return _faulty(facts, fault)
    return facts


def peek(stream: BinaryIO, path: str, *, decoder: Decoder = IN_PROCESS) -> Facts:
    """Return what ``glance`` tells, and whether a picture lacks its end: such a one need not be claimed to be refused.

    Raises:
        OSError: It cannot be read.
    """
    facts = glance(stream, path, decoder=decoder)
    if facts.format is None or facts.fault is not None or not seems_cut(stream, facts.format):
        return facts
    return _faulty(facts, Unfinished(CUT_OFF, hint=COPY_AGAIN))


def _faulty(facts: Facts, fault: SourceFault) -> Facts:
    return replace(facts, fault=fault.message, hint=fault.hint, unfinished=isinstance(fault, Unfinished))


def _picture(stream: BinaryIO, picture: Format, extension: str, size_bytes: int, decoder: Decoder) -> Facts:
    facts = Facts(kind=Kind.IMAGE, format=picture, size_bytes=size_bytes)
    if extension in RAW_EXTENSIONS:
        return replace(facts, format=None, fault=f"this is a camera raw file; {READABLE}", hint=_CONVERT)
    if size_bytes > LARGEST_FILE_BYTES:
        return replace(facts, fault=_too_large(size_bytes), hint="make it smaller and drop it again")
    try:
        return replace(decoder.look(stream, picture), size_bytes=size_bytes)
    except SourceFault as fault:
        return _faulty(facts, fault)


def _prompt(data: bytes) -> Facts:
    facts = Facts(kind=Kind.PROMPT)
    if not data:
        fault = Unfinished("the file is empty", hint="write a prompt into it and drop it again")
        return _faulty(facts, fault)
    try:
        text = read_prompt(data)
    except SourceFault as fault:
        return _faulty(facts, fault)
    return replace(facts, text=text)


def _no_picture(head: bytes, extension: str) -> SourceFault:
    if not head:
        return Unfinished("the file is empty", hint="copy it again")
    if not head.strip(b"\x00"):
        return Unfinished(
            f"the file named {extension} begins with zeros only: its copy was never finished",
            hint="copy it again",
        )
    if (name := foreign_format(head)) is None:
        # A few bytes may be all that was written so far.
        kind = Unfinished if len(head) < SIGNATURE_BYTES else SourceFault
        return kind(
            f"the file named {extension} holds no picture that is known here; {READABLE}", hint=_CONVERT
        )
    article = "an" if name in _WITH_AN else "a"
    told = "" if extension in OTHER_EXTENSIONS else f" named {extension}"  # only a name that misleads is news
    return SourceFault(f"this is {article} {name} file{told}; {READABLE}", hint=_CONVERT)


def _too_large(size_bytes: int) -> str:
    size_mb = size_bytes / (1024 * 1024)
    return f"the picture has {size_mb:.0f} MB, more than the {LARGEST_FILE_BYTES >> 20} MB that are opened"
