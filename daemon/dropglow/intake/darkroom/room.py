"""Decode pictures in processes of their own, and refuse those that bring such a process down.

One process serves everybody, picture after picture, since starting one costs as
much as decoding a hundred. A second one is started where the first is taken for
longer than a moment: one inbox on a dead share must not hold up the others.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import BinaryIO, Final

from dropglow.errors import SourceFault, Unfinished
from dropglow.intake.darkroom.messages import (
    Allowance,
    Answer,
    Decode,
    Develop,
    Developed,
    Faulty,
    Look,
    Looked,
    Question,
    Starved,
    Unreadable,
    cpu_s,
    pixels_of,
)
from dropglow.intake.darkroom.process import Process, ProcessDied
from dropglow.intake.decoding import IN_PROCESS
from dropglow.intake.pictures import heavy
from dropglow.model import Facts, Format
from dropglow.preparing import Copy, Stripped

MOST_PROCESSES: Final = 2
_MOMENT_S: Final = 0.25
_SAVE_AFRESH: Final = "open it in an image program, save it afresh, and drop it again"
_SMALLER: Final = "make it smaller and drop it again"


class Darkroom:
    """Be a ``Decoder`` that no picture can harm. Starts nothing before the first picture comes."""

    def __init__(
        self,
        *,
        impossible: Callable[[str], None],
        allowance: Allowance | None = None,
        start: Callable[[Allowance], Process] = Process,
    ) -> None:
        """Tell *impossible*, once and from any thread, why pictures are decoded in this process after all.

        *start* starts a process.
        """
        self._impossible = impossible
        self._start = start
        self._allowance = allowance or Allowance()
        self._free = threading.Condition()
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._starting = 0
        self._proven = False  # whether a process was ever ready
        self._here = False  # True: none can be started
        self._closed = False

    def look(self, stream: BinaryIO, picture: Format) -> Facts:
        """Return what the picture's header tells."""
        answer = self._asked(Look(picture=picture), stream)
        if answer is None:
            return IN_PROCESS.look(stream, picture)
        assert isinstance(answer, Looked), answer
        return answer.facts

    def decode(self, stream: BinaryIO, facts: Facts) -> None:
        """Decode the whole picture and throw it away."""
        if self._asked(Decode(facts=facts), stream) is None:
            IN_PROCESS.decode(stream, facts)

    def copy(self, stream: BinaryIO, facts: Facts, wanted: Copy | Stripped) -> tuple[Format, bytes]:
        """Return the format and the bytes of the copy."""
        answer = self._asked(Develop(facts=facts, wanted=wanted), stream)
        if answer is None:
            return IN_PROCESS.copy(stream, facts, wanted)
        assert isinstance(answer, Developed), answer
        return answer.picture, answer.data

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the numbers of the processes that live now, in order."""
        return tuple(sorted(process.pid for process in tuple(self._all)))

    def close(self) -> None:
        """End every process; whoever waits for an answer gets an ``OSError``. Blocks for seconds at most."""
        with self._free:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = [process for process in self._all if process not in idle]
            self._free.notify_all()
        for process in busy:  # whoever waits for it learns of its end, and lets go of it
            process.end()
        for process in idle:
            self._remove(process)

    def _asked(self, question: Question, stream: BinaryIO) -> Answer | None:
        """Return the answer; None where no process can be started."""
        with heavy(pixels_of(question)):
            answer = self._answer(question, stream.fileno())
        match answer:
            case Faulty(message=message, hint=hint, unfinished=unfinished):
                raise (Unfinished if unfinished else SourceFault)(message, hint=hint)
            case Unreadable(number=number, reason=reason):
                raise OSError(number, reason)
            case Starved():
                raise self._starvation()
            case _:
                return answer

    def _answer(self, question: Question, file: int) -> Answer | None:
        """Return the answer. A process that ends is replaced, once: it may have been ended by something else."""
        death: ProcessDied | None = None
        for _ in range(2):
            process = self._taken()
            if process is None:
                return None
            try:
                answer = process.ask(question, file)
            except ProcessDied as error:
                self._remove(process)
                death = error
                if error.computed_too_long:
                    break
                continue
            except TimeoutError as error:
                self._remove(process)
                raise OSError(
                    errno.ETIMEDOUT, "decoding it takes too long; is the disk or share slow?"
                ) from error
            if not isinstance(answer, Starved):
                self._give_back(process)
                return answer
            self._remove(process)
            if process.answered == 1:  # nothing else can have used up its memory
                return answer
        assert death is not None or not self._closed
        raise self._verdict(death, question)

    def _taken(self) -> Process | None:
        """Return a process that nobody else asks; None where none can be started.

        Raises:
            OSError: None can be had now.
        """
        with self._free:
            while not self._idle:
                self._refuse_if_closed()
                if self._here:
                    return None
                running = len(self._all) + self._starting
                if running == 0:
                    break
                if not self._free.wait(_MOMENT_S) and not self._idle and running < MOST_PROCESSES:
                    break
            self._refuse_if_closed()
            if self._idle:
                return self._idle.pop()
            self._starting += 1
        return self._started()

    def _started(self) -> Process | None:
        process: Process | None = None
        try:
            process = self._start(self._allowance)
            process.wait_until_ready()
        except (OSError, ProcessDied) as error:
            if process is not None:
                process.let_go()
            process = None
            self._note_failure(str(error))
        finally:
            with self._free:
                self._starting -= 1
                if process is not None:
                    self._all.add(process)
                    self._proven = True
                self._free.notify_all()
        if process is not None and self._closed:  # it was too late for ``close`` to see it
            self._remove(process)
            self._refuse_if_closed()
        return process

    def _note_failure(self, reason: str) -> None:
        """Give up for good where it never worked; where it did, it is a shortage that passes."""
        self._refuse_if_closed()
        if self._proven:
            raise OSError(errno.EAGAIN, f"no process to decode it could be started: {reason}")
        with self._free:
            told, self._here = self._here, True
        if not told:
            self._impossible(reason)

    def _give_back(self, process: Process) -> None:
        with self._free:
            if not self._closed:
                self._idle.append(process)
                self._free.notify()
                return
        self._remove(process)

    def _remove(self, process: Process) -> None:
        process.let_go()
        with self._free:
            self._all.discard(process)
            self._free.notify()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise OSError(errno.ECANCELED, "the service is being stopped")

    def _starvation(self) -> SourceFault:
        gigabytes = self._allowance.memory_bytes / (1 << 30)
        return SourceFault(
            f"the picture needs more memory to decode than the {gigabytes:.1f} GB that a picture gets",
            hint=_SMALLER,
        )

    def _verdict(self, death: ProcessDied | None, question: Question) -> Exception:
        """Return how a picture is refused that no process survived."""
        self._refuse_if_closed()
        if death is None:
            return self._starvation()
        if death.computed_too_long:
            return SourceFault(
                f"the picture was not decoded after {cpu_s(question, self._allowance)} s of computing:"
                " it is damaged, or made to do harm",
                hint=_SAVE_AFRESH,
            )
        if death.was_killed:
            return SourceFault(
                "the system ended the process that decodes pictures at this one, twice:"
                " there may be too little memory",
                hint=_SMALLER,
            )
        return SourceFault(
            "the picture brought down the process that decodes pictures, twice:"
            " it is damaged, or made to do harm",
            hint=_SAVE_AFRESH,
        )
