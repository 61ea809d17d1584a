"""One decoding process, as the service sees it: start it, ask it, end it.

Belongs to one thread at a time, but for ``end``, which any thread may call to let go whoever waits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Final

from dropglow.intake.darkroom.messages import (
    FRAME,
    MAX_DATA_BYTES,
    MAX_TEXT_BYTES,
    Allowance,
    Answer,
    GarbledAnswer,
    Question,
    Ready,
    answer_from,
    deadline_s,
    fits,
    question_text,
)

_READY_S: Final = 30.0  # to load everything, on a machine that is busy with something else
_END_S: Final = 5.0  # a process that waits for a dead disk does not even heed SIGKILL
_PIECE_BYTES: Final = 1 << 20
# Isolated: neither the environment nor the working folder decide what is imported.
PROGRAM: Final = (
    "import sys; sys.path[:] = sys.argv[3:];"
    " from dropglow.intake.darkroom.child import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)
_PASSED_ON: Final = (
    "LD_LIBRARY_PATH",
)  # where some systems keep what Pillow needs; everything else stays here


class ProcessDied(Exception):
    """Say that a decoding process ended instead of answering; ``code`` is as ``Popen.returncode``."""

    def __init__(self, code: int) -> None:
        """Keep how it ended."""
        super().__init__(f"a decoding process ended with {code}")
        self.code = code

    @property
    def computed_too_long(self) -> bool:
        """Return whether it used up its time."""
        return self.code == -signal.SIGXCPU

    @property
    def was_killed(self) -> bool:
        """Return whether the system or a person ended it."""
        return self.code == -signal.SIGKILL


class Process:
    """A process that answers one question after the other."""

    def __init__(self, allowance: Allowance, *, program: str = PROGRAM) -> None:
        """Start it; it loads by itself, see ``wait_until_ready``.

        Raises:
            OSError: No process can be started.
        """
        self.answered = 0
        self._allowance = allowance
        with contextlib.ExitStack() as on_failure:
            self._line, theirs = socket.socketpair()
            on_failure.enter_context(self._line)
            with theirs:
                self._process = _started(program, theirs, allowance)
            on_failure.pop_all()

    @property
    def pid(self) -> int:
        """Return its number."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Return when it can be asked.

        Raises:
            ProcessDied: It ended, or never got so far.
        """
        try:
            answer = self._received(time.monotonic() + _READY_S)
        except TimeoutError as error:
            raise self._death() from error
        if not isinstance(answer, Ready):
            raise self._death()

    def ask(self, question: Question, file: int) -> Answer:
        """Return the answer about the picture in the open *file*, whose position stays as it is.

        Raises:
            ProcessDied: It ended instead.
            TimeoutError: No answer came in time. The process is of no use any more.
        """
        text = question_text(question)
        frame = FRAME.pack(len(text), 0) + text
        position = os.lseek(file, 0, os.SEEK_CUR)  # the process moves it: it is the same open file
        try:
            self._send(frame, file)
            answer = self._received(time.monotonic() + deadline_s(question, self._allowance))
        finally:
            os.lseek(file, position, os.SEEK_SET)
        if not fits(answer, question):
            raise self._death()
        self.answered += 1
        return answer

    def end(self) -> None:
        """End it now, whatever it does; and wait for that, but not for ever. Never raises."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)

    def let_go(self) -> None:
        """End it and close the line to it. For whoever has it to himself."""
        self.end()
        self._line.close()

    def _send(self, frame: bytes, file: int) -> None:
        self._line.settimeout(_READY_S)
        try:
            sent = socket.send_fds(self._line, [frame], [file])
            self._line.sendall(frame[sent:])
        except ConnectionError as error:
            raise self._death() from error

    def _received(self, until_s: float) -> Answer:
        text_bytes, data_bytes = FRAME.unpack(self._read(FRAME.size, until_s))
        if text_bytes > MAX_TEXT_BYTES or data_bytes > MAX_DATA_BYTES:
            raise self._death()
        text = self._read(text_bytes, until_s)
        data = self._read(data_bytes, until_s)
        try:
            return answer_from(text, data)
        except GarbledAnswer as error:
            raise self._death() from error

    def _read(self, count: int, until_s: float) -> bytes:
        data = bytearray()
        while len(data) < count:
            self._line.settimeout(max(0.001, until_s - time.monotonic()))
            try:
                piece = self._line.recv(min(_PIECE_BYTES, count - len(data)))
            except ConnectionError as error:
                raise self._death() from error
            if not piece:
                raise self._death()
            data += piece
        return bytes(data)

    def _death(self) -> ProcessDied:
        """Return how it ended; it is made to, if it still runs and only its words are of no use."""
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.end()
            code = 1
        return ProcessDied(code)


def _started(program: str, theirs: socket.socket, allowance: Allowance) -> subprocess.Popen[bytes]:
    limits = (str(allowance.memory_bytes), str(allowance.least_cpu_s))
    path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100  # imports know paths as text
    return subprocess.Popen(
        [sys.executable, "-I", "-c", program, *limits, *path],
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # damaged TIFFs alone write thousands of lines
        cwd="/",
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        start_new_session=True,
    )
