"""What runs in a decoding process: take a picture's open file, answer one question about it, and again.

It opens no file, knows no folder, and inherits neither environment nor
descriptors; it gives up its rights to write, to much memory, and, where the kernel
lets it, to a network. It ends when the service goes, however that goes.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import signal
import socket
from typing import BinaryIO, Final

from PIL import AvifImagePlugin

from dropglow.errors import SourceFault, Unfinished
from dropglow.intake import copies, pictures
from dropglow.intake.darkroom.messages import (
    FRAME,
    Allowance,
    Answer,
    Decode,
    Decoded,
    Develop,
    Developed,
    Faulty,
    Look,
    Looked,
    Question,
    Ready,
    Starved,
    Unreadable,
    answer_text,
    cpu_s,
    question_from,
)

_CLONE_NEWUSER: Final = 0x10000000  # linux/sched.h
_CLONE_NEWNET: Final = 0x40000000
_DESCRIPTORS: Final = 32
_FIRST_TO_GO: Final = b"1000"  # when the machine runs out of memory; proc(5), oom_score_adj


def main(memory_bytes: int, least_cpu_s: int) -> None:
    """Answer whatever comes in by standard input, a socket, until nobody is there any more."""
    allowance = Allowance(memory_bytes=memory_bytes, least_cpu_s=least_cpu_s)
    _give_up_rights(allowance)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread would reserve address space
    with socket.socket(fileno=0) as line, contextlib.suppress(ConnectionError):
        _send(line, Ready())
        while (asked := _receive(line)) is not None:
            question, stream = asked
            _limit_cpu(cpu_s(question, allowance))
            answer = _answer(question, stream)
            with contextlib.suppress(OSError):  # of a share that is just going: it is closed all the same
                stream.close()
            _send(line, answer)
            if isinstance(answer, Starved):
                return


def _give_up_rights(allowance: Allowance) -> None:
    # A terminal's Ctrl-C and a manager's SIGTERM are for the service, which says when it is over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as score:  # noqa: PTH123
        score.write(_FIRST_TO_GO)
    _leave_the_network()
    _limit(resource.RLIMIT_AS, allowance.memory_bytes)
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)


def _leave_the_network() -> None:
    """Move into a network that holds nothing. Not every kernel and container allows it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(_CLONE_NEWNET | (0 if os.geteuid() == 0 else _CLONE_NEWUSER))


def _limit(what: int, amount: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # a stricter limit holds already
        resource.setrlimit(what, (amount, amount))


def _limit_cpu(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _receive(line: socket.socket) -> tuple[Question, BinaryIO] | None:
    """Return the next question with its picture; None when the service is gone."""
    head, files, _, _ = socket.recv_fds(line, FRAME.size, 1)
    if not head or not files:
        return None
    stream = os.fdopen(files[0], "rb")
    length, _ = FRAME.unpack(head + _read(line, FRAME.size - len(head)))
    return question_from(_read(line, length)), stream


def _read(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = line.recv(count - len(data))
        if not piece:
            raise ConnectionResetError("the service went away in the middle of a question")
        data += piece
    return data


def _send(line: socket.socket, answer: Answer) -> None:
    text = answer_text(answer)
    data = answer.data if isinstance(answer, Developed) else b""
    line.sendall(FRAME.pack(len(text), len(data)) + text)
    line.sendall(data)


def _answer(question: Question, stream: BinaryIO) -> Answer:
    try:
        return _done(question, stream)
    except SourceFault as fault:
        unfinished = isinstance(fault, Unfinished)
        return Faulty(message=fault.message, hint=fault.hint or "", unfinished=unfinished)
    except MemoryError:
        return Starved()
    except OSError as error:
        if error.errno is None:
            raise  # nothing that a disk says; whatever it is, it ends this process, and the service knows
        return Unreadable(number=error.errno, reason=error.strerror or "")


def _done(question: Question, stream: BinaryIO) -> Answer:
    match question:
        case Look(picture=picture):
            return Looked(facts=pictures.look(stream, picture))
        case Decode(facts=facts):
            assert facts.format is not None, "only pictures are decoded"
            pictures.decode(stream, facts.format)
            return Decoded()
        case Develop(facts=facts, wanted=wanted):
            picture, data = copies.copied(stream, facts, wanted)
            return Developed(picture=picture, data=data)
