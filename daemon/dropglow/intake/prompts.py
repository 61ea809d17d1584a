"""Read the text of a prompt file, strictly. Pure: bytes in, text or a fault out.

Nothing is ever guessed: a wrong guess would be paid for as a picture of
mojibake. What is refused names its line, so that it can be found in an editor.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Final

from dropglow.errors import SourceFault, Unfinished

MAX_PROMPT_BYTES: Final = 1024 * 1024  # thousands of prompts; a log file renamed to .txt stops here

_SAVE_AS_UTF8: Final = "save it as UTF-8 and drop it again"

# How Python's decoders call a character that is not all there, which is only so at the end of a file.
_CUT_IN_UTF8: Final = "unexpected end of data"
_CUT_IN_UTF16: Final = frozenset({"truncated data", "unexpected end of data"})

_ZEROS: Final = re.compile(
    r"\x00{2,}"
)  # a single one at the end is half a character of UTF-16 without a mark

# C0 and C1 controls and DEL; tab and line feed are text.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def read_prompt(data: bytes) -> str:
    r"""Return the text of a prompt file: trimmed, in NFC, its lines ended by ``\n``.

    Blank lines at its beginning stay, so that lines can be counted. UTF-8 with or without a mark; UTF-16 with one.

    Raises:
        SourceFault: It is no such text, or holds nothing.
        Unfinished: It ends within a character, or in zeros.
    """
    if len(data) > MAX_PROMPT_BYTES:
        raise SourceFault(
            f"the file has {len(data)} bytes, and a prompt file may have {MAX_PROMPT_BYTES}",
            hint="part it into several files and drop those",
        )
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    if (control := _CONTROL.search(text)) is not None:
        raise _control_fault(text, control)
    body = unicodedata.normalize("NFC", text).strip()
    if not body:
        raise SourceFault("the file holds no text", hint="write a prompt into it and drop it again")
    blank = text[: len(text) - len(text.lstrip())]
    return "\n" * blank.count("\n") + body


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded_utf16(data)
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line(body[: error.start])
        kind = Unfinished if error.reason == _CUT_IN_UTF8 else SourceFault
        raise kind(
            f"line {line} is not UTF-8 text (byte 0x{body[error.start]:02X})", hint=_SAVE_AS_UTF8
        ) from error


def _decoded_utf16(data: bytes) -> str:
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError as error:
        # Whatever stands before the error is sound, but for half a character at its end.
        before = data[: error.start].decode("utf-16", errors="ignore")
        kind = Unfinished if error.reason in _CUT_IN_UTF16 else SourceFault
        raise kind(
            f"line {_line(before.encode())} is not UTF-16 text, which its mark announces", hint=_SAVE_AS_UTF8
        ) from error


def _control_fault(text: str, control: re.Match[str]) -> SourceFault:
    line = _line(text[: control.start()].encode())
    if _ZEROS.fullmatch(text, control.start()):
        return Unfinished(
            f"line {line} ends in zeros only: the file's copy was never finished", hint="copy it again"
        )
    if control.group() == "\x00":
        return SourceFault(
            f"line {line} holds a NUL byte: the file is no text, or is UTF-16 without a mark",
            hint=_SAVE_AS_UTF8,
        )
    return SourceFault(
        f"line {line} holds the control character U+{ord(control.group()):04X}",
        hint="remove it and drop the file again",
    )


def _line(before: bytes) -> int:
    return before.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
