"""Mounts on which no event tells what was written on the other side, each as a process that can be ended and begun anew."""

from __future__ import annotations

import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar, Final

from tests.droppers import servers
from tests.droppers.equipment import program

MOUNT_S: Final = 20.0


class Mount(ABC):
    """One folder of a server, mounted at a point of this machine."""

    needs: ClassVar[tuple[str, ...]]
    cache_s: ClassVar[float] = 0.0  # how old the mount's own memory of a folder may be

    def __init__(self, server: Path, point: Path, workshop: Path, stack: ExitStack) -> None:
        """Prepare; what it needs for longer than a mount lasts is left to *stack*."""
        self.server = server
        self.point = point
        self.workshop = workshop
        self.stack = stack
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command that mounts, and stays in the foreground."""

    def mount(self) -> None:
        """Mount, and wait until it is there."""
        name, *words = self.command()
        log = (self.workshop / "mount.log").open("ab")
        self._process = subprocess.Popen([program(name) or name, *words], stdout=log, stderr=log)
        log.close()
        deadline_s = time.monotonic() + MOUNT_S
        while not self.point.is_mount():
            told = (self.workshop / "mount.log").read_text(encoding="utf-8", errors="replace")[-1000:]
            assert self._process.poll() is None, f"{name} ended: {told}"
            assert time.monotonic() < deadline_s, f"{name} does not mount: {told}"
            time.sleep(0.05)

    def unmount(self) -> None:
        """Take it away, whoever is in it."""
        if self._process is None:
            return
        subprocess.run(["fusermount3", "-u", "-z", str(self.point)], check=False, capture_output=True)
        self._process.terminate()
        self._process.wait(MOUNT_S)
        self._process = None


class Bindfs(Mount):
    """Another folder of this machine, as a bind mount of FUSE's."""

    needs = ("bindfs", "fusermount3")

    def command(self) -> Sequence[str]:
        """Return the command that mounts, and stays in the foreground."""
        return "bindfs", "-f", str(self.server), str(self.point)


class Sshfs(Mount):
    """A folder of an SSH server, without sshfs's cache, which keeps a listing for twenty seconds."""

    needs = ("sshfs", "sshd", "ssh-keygen", "fusermount3")

    def __init__(self, server: Path, point: Path, workshop: Path, stack: ExitStack) -> None:
        """Start the server."""
        super().__init__(server, point, workshop, stack)
        self._port, _ = stack.enter_context(servers.sshd(workshop))

    def command(self) -> Sequence[str]:
        """Return the command that mounts, and stays in the foreground."""
        options = (
            "dir_cache=no",
            "BatchMode=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            f"IdentityFile={self.workshop}/key",
        )
        words = [word for option in options for word in ("-o", option)]
        there = f"{servers.user()}@{servers.HOST}:{self.server}"
        return "sshfs", "-f", "-p", str(self._port), "-F", "/dev/null", *words, there, str(self.point)


class Rclone(Mount):
    """A folder as rclone mounts it, which remembers listings; three seconds here, and not five minutes."""

    needs = ("rclone", "fusermount3")
    cache_s = 3.0

    def command(self) -> Sequence[str]:
        """Return the command that mounts, and stays in the foreground."""
        words = ("--dir-cache-time", f"{self.cache_s:g}s", "--vfs-cache-mode", "writes")
        places = ("--config", str(self.workshop / "rclone.conf"), "--cache-dir", str(self.workshop / "cache"))
        return "rclone", "mount", *words, *places, str(self.server), str(self.point)


MOUNTS: Final[dict[str, type[Mount]]] = {"bindfs": Bindfs, "sshfs": Sshfs, "rclone": Rclone}


@contextmanager
def mounted(name: str, folder: Path, point: Path) -> Iterator[Mount]:
    """Yield a mount of this kind at *point*; *folder* has room for its server, and for what it needs."""
    (folder / "server").mkdir(parents=True)
    (folder / "workshop").mkdir()
    with ExitStack() as stack:
        one = MOUNTS[name](folder / "server", point, folder / "workshop", stack)
        stack.callback(one.unmount)
        one.mount()
        yield one
