"""Make mutants from sound files and plain names: the same ones for the same seed."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from typing import Final

from PIL import Image

MOST_MUTATIONS: Final = 6
LONGEST_NAME_BYTES: Final = 255
INTERESTING: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
PROMPTS: Final = (
    "a fox in the snow",
    "---\ncontent_class: art\nseeds: [1, 2]\n---\na red fox, at dawn\n",
    "---\nstyle: {presets: [bokeh], strength: 60}\nsizes: [2048x2048, 2304x1792]\n---\nCafé am Meer\n\nein Leuchtturm",
    "---\nnegative_prompt: |\n  hands\n  text\nvariations: 4\n---\n" + "lighthouse\n" * 40,
    "one\ntwo\r\nthree\r\rfour\n\n\nfive",
    "ふじさん \U0001f5fb — “quoted” & <tags> {stem} %s $(id) `ls`",
)
NAMES: Final = (
    "beach.jpg",
    "shoes/red/IMG_0001.JPG",
    "Café crème.png",
    "Cafe\u0301 cre\u0300me.png",
    "ふじさん.txt",
    "notes 2026-01-31.prompt",
    "x" * 240 + ".jpeg",
    "{stem}_{size}{ext}.txt",
    "CON.txt",
    "-rf.txt",
    "a\x1b[31mred\n.txt",
)
SNIPPETS: Final = (
    "..", "/", "\\", "\x00", "\n", "\r", "\x1b]0;x\x07", "{ext}", "{folder}", "$HOME", "`id`", "%00", "~", "#", "?", "*",
    ".part", "._", "\u202e", "\u200b", "e\u0301", "İ", "ß", "\ud83d\ude00", "\udcff", "\udce9", "\uff0e", "\uff03", "\ufeff", "🦊",
    "&&&", "!!python/object:os.system", "---\n", ": ", "*a", "&a [*a]", "9" * 5000, "[" * 300, "{" * 300, "\t", "=", "`",
)  # fmt: skip
ORDERS: Final = ("<", ">")


def pictures() -> tuple[bytes, ...]:
    """Return small sound pictures of every format that is read, in many of its forms."""
    noise = Image.effect_noise((48, 40), 90)
    colour = Image.merge("RGB", [noise, noise.rotate(90).resize((48, 40)), noise.rotate(180)])
    alpha = colour.convert("RGBA")
    alpha.putalpha(noise)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 36.0)}
    frames = {"save_all": True, "append_images": [colour.rotate(180)]}
    forms: list[tuple[Image.Image, str, dict[str, object]]] = [
        (colour, "jpeg", {"exif": exif}),
        (colour, "jpeg", {"progressive": True}),
        (colour.convert("CMYK"), "jpeg", {}),
        (noise, "jpeg", {"restart_marker_blocks": 2}),
        (colour, "png", {"exif": exif}),
        (alpha, "png", {}),
        (colour.convert("P"), "png", {"transparency": 3}),
        (noise.convert("I;16"), "png", {}),
        (colour.convert("1"), "png", {}),
        (colour, "png", frames),
        (colour, "webp", {"exif": exif}),
        (alpha, "webp", {"lossless": True}),
        (colour, "webp", frames),
        (colour, "gif", {}),
        (colour, "gif", frames),
        (colour, "bmp", {}),
        (colour.convert("P"), "bmp", {}),
        (colour, "avif", {"quality": 40}),
    ]
    forms += [
        (picture, "tiff", {"compression": compression})
        for picture in (colour, colour.convert("CMYK"))
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    ]
    forms += [(colour.convert("1"), "tiff", {"compression": "group4"}), (colour, "tiff", {"big_tiff": True})]
    return tuple(_saved(*form) for form in forms)


def _saved(picture: Image.Image, kind: str, options: dict[str, object]) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def mutated_picture(sound: tuple[bytes, ...], dice: random.Random) -> bytes:
    """Return a picture with a few things wrong; half of the PNGs get sums that are right again."""
    data = bytearray(dice.choice(sound))
    for _ in range(dice.randint(1, MOST_MUTATIONS)):
        dice.choice(MUTATIONS)(data, dice)
    if dice.random() < 0.05:  # two of them in one
        data[dice.randrange(len(data) + 1) :] = dice.choice(sound)[dice.randrange(60) :]
    if data.startswith(b"\x89PNG") and dice.random() < 0.5:
        return _with_right_sums(bytes(data))
    return bytes(data)


def mutated_prompt(dice: random.Random) -> bytes:
    """Return what is nearly a prompt: characters and bytes are exchanged, in any of four encodings."""
    text = list(dice.choice(PROMPTS))
    for _ in range(dice.randint(1, MOST_MUTATIONS)):
        _mangle_text(text, dice)
    data = bytearray(
        "".join(text).encode(dice.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16")), "surrogatepass")
    )
    for _ in range(dice.choice((0, 0, 1, 3))):
        dice.choice(MUTATIONS)(data, dice)
    return bytes(data)


def mutated_name(dice: random.Random) -> str:
    """Return a path below an inbox that the file system may or may not take."""
    text = list(dice.choice(NAMES))
    for _ in range(dice.randint(1, MOST_MUTATIONS)):
        _mangle_text(text, dice)
    return "".join(text)


def _mangle_text(text: list[str], dice: random.Random) -> None:
    at = dice.randrange(len(text) + 1)
    match dice.randrange(5):
        case 0:
            text.insert(at, dice.choice(SNIPPETS))
        case 1:
            text[at : at + 1] = [chr(dice.choice((dice.randrange(0x250), dice.randrange(0x11_0000))))]
        case 2:
            del text[at : at + dice.randrange(4)]
        case 3:
            text[at:at] = text[at : at + dice.randrange(40)] * dice.randrange(1, 4)
        case _:
            text[at : at + 1] = [each.swapcase() for each in text[at : at + 1]]


def _flip(data: bytearray, dice: random.Random) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _flip_near_the_beginning(data: bytearray, dice: random.Random) -> None:
    if data:
        data[dice.randrange(min(len(data), 120))] ^= 1 << dice.randrange(8)


def _overwrite(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    data[at : at + 4] = dice.randbytes(4)


def _number(data: bytearray, dice: random.Random) -> None:
    """Write a number that programs stumble over, as wide as lengths and offsets are."""
    at, width = dice.randrange(len(data) + 1), dice.choice("BHI")
    packed = struct.pack(dice.choice(ORDERS) + "I", dice.choice(INTERESTING))
    data[at : at + struct.calcsize(width)] = packed[: struct.calcsize(width)]


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data) + 1) :]


def _remove(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    del data[at : at + dice.randrange(1, 40)]


def _repeat(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = data[at : at + dice.randrange(1, 200)] * dice.choice((1, 1, 2, 30))


def _blank(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    count = min(len(data) - at, dice.randrange(1, 400))
    data[at : at + count] = bytes(count)


MUTATIONS: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    _flip,
    _flip,
    _flip_near_the_beginning,
    _flip_near_the_beginning,
    _overwrite,
    _number,
    _number,
    _remove,
    _repeat,
    _blank,
    _cut,
)


def _with_right_sums(data: bytes) -> bytes:
    """Return a PNG whose chunks have right sums, as far as there are chunks."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        parts.append(data[at:end] + struct.pack(">I", zlib.crc32(data[at + 4 : end])))
        at = end + 4
    return b"".join(parts) + data[at:]
