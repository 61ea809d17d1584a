"""Programs of this machine that bring files into a folder."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.droppers.bed import Errand, Source
from tests.droppers.equipment import program

PATIENCE_S: Final = 300.0
AT_ONCE: Final = 10
MEMORY: Final = Path("/dev/shm")

SLOWLY: Final = """
offset=0
while [ $((offset * 5000)) -lt "$3" ]; do
  dd if="$1" bs=5000 skip=$offset count=1 status=none
  offset=$((offset + 1))
  sleep 0.1
done > "$2"
"""
IN_PIECES: Final = """
offset=0
while [ $((offset * 20000)) -lt "$3" ]; do
  dd if="$1" bs=20000 skip=$offset count=1 status=none >> "$2"
  offset=$((offset + 1))
  sleep 0.3
done
"""
RESERVED: Final = """
fallocate --length "$3" "$2"
sleep 0.4
dd if="$1" of="$2" bs=20000 conv=notrunc status=none
"""
SAVED_OVER: Final = """
cp "$1" "$2.new~"
sync "$2.new~"
mv "$2.new~" "$2"
sleep 0.3
cp "$1" "$2.new~"
mv "$2.new~" "$2"
"""


def run(*command: str, environ: dict[str, str] | None = None, commands: str = "") -> None:
    """Run a program to its end; fail with what it said if it failed."""
    found = program(command[0])
    assert found is not None, f"{command[0]} is not here"
    done = subprocess.run(
        [found, *command[1:]],
        env={**os.environ, "LC_ALL": "C.UTF-8", **(environ or {})},
        input=commands.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE_S,
    )
    told = done.stdout.decode(errors="replace")[-2000:]
    assert done.returncode == 0, f"{shlex.join(command[:6])} …: {told}"


def each(errand: Errand, bring: Callable[[Source, Path], None], *, at_once: int = AT_ONCE) -> None:
    """Let *bring* carry each file to its final name, several at a time."""
    with ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(lambda source: bring(source, errand.inbox / source.name), errand.sources):
            pass


def copies(errand: Errand, folder: Path) -> list[str]:
    """Copy the sources into *folder*, to be given away; return where they are."""
    folder.mkdir(exist_ok=True)
    run("cp", "--preserve=timestamps", "--target-directory", str(folder), *errand.paths)
    return [str(folder / source.name) for source in errand.sources]


def by_shell(script: str, *, at_once: int = AT_ONCE) -> Callable[[Errand], None]:
    """Return a dropper that runs *script* for each file: its source, its target and its size in bytes."""

    def bring(source: Source, target: Path) -> None:
        run("sh", "-e", "-c", script, "sh", str(source.path), str(target), str(source.path.stat().st_size))

    return lambda errand: each(errand, bring, at_once=at_once)


def cp(errand: Errand) -> None:
    """Copy all files in one go."""
    run("cp", "--target-directory", str(errand.inbox), *errand.paths)


def cp_archive(errand: Errand) -> None:
    """Copy all files with their old times."""
    run("cp", "--archive", "--target-directory", str(errand.inbox), *errand.paths)


def cp_folder(errand: Errand) -> None:
    """Copy a folder with folders in it."""
    for number, source in enumerate(errand.sources):
        folder = errand.workshop / "holiday" / f"day {number % 3}" / "raw"
        folder.mkdir(parents=True, exist_ok=True)
        run("cp", str(source.path), str(folder))
    run("cp", "--recursive", str(errand.workshop / "holiday"), str(errand.inbox))


def mv(errand: Errand) -> None:
    """Move within one file system: a rename."""
    run("mv", "--target-directory", str(errand.inbox), *copies(errand, errand.workshop / "near"))


def mv_folder(errand: Errand) -> None:
    """Move a whole folder in: one rename, and no event about any file."""
    copies(errand, errand.workshop / "album")
    run("mv", str(errand.workshop / "album"), str(errand.inbox))


def mv_across(errand: Errand) -> None:
    """Move from another file system: a copy, and a removal."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        run("mv", "--target-directory", str(errand.inbox), *copies(errand, Path(name) / "far"))


def ln(errand: Errand) -> None:
    """Give each file a second name in the inbox, and take the first away, as servers of SFTP rename."""
    for path in copies(errand, errand.workshop / "first"):
        run("ln", "--target-directory", str(errand.inbox), path)
        Path(path).unlink()


def rsync(*options: str) -> Callable[[Errand], None]:
    """Return a dropper that runs rsync with these options, at a megabyte a second."""
    return lambda errand: run("rsync", "--bwlimit=1000", *options, *errand.paths, f"{errand.inbox}/")


def unzip(errand: Errand) -> None:
    """Unpack a zip file into the inbox."""
    archive = str(errand.workshop / "all.zip")
    run(sys.executable, "-m", "zipfile", "-c", archive, *errand.paths)
    run("unzip", "-q", archive, "-d", str(errand.inbox))


def tar(errand: Errand) -> None:
    """Unpack a tar file into the inbox, with the old times."""
    archive, folder = str(errand.workshop / "all.tar.gz"), str(errand.sources[0].path.parent)
    run("tar", "-czf", archive, "-C", folder, *(source.name for source in errand.sources))
    run("tar", "-xzf", archive, "-C", str(errand.inbox))


def vim(errand: Errand) -> None:
    """Save each file three times, as vim does: the old file is renamed away, a new one written, the old removed."""
    save = "execute 'w! ' . fnameescape($TARGET)"
    words = ("-u", "NONE", "-i", "NONE", "-N", "-n", "-b", "-es", "-c", "set backupcopy=no writebackup")

    def bring(source: Source, target: Path) -> None:
        saves = [word for _ in range(3) for word in ("-c", save)]
        run("vim", *words, *saves, "-c", "qa!", str(source.path), environ={"TARGET": str(target)})

    each(errand, bring, at_once=4)


def curl_output(errand: Errand) -> None:
    """Download each file into the inbox, at a hundred kilobytes a second."""
    with http_server(errand.sources[0].path.parent) as address:

        def bring(source: Source, target: Path) -> None:
            at = f"{address}/{source.name.replace(' ', '%20')}"
            run("curl", "-sSf", "--limit-rate", "100k", "-o", str(target), at)

        each(errand, bring)


@contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """Serve *folder* for a ``with`` block; yield its address."""
    command = [
        sys.executable,
        "-u",
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "--directory",
        str(folder),
        "0",
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    try:
        words = server.stdout.readline().split()
        yield f"http://127.0.0.1:{words[words.index('port') + 1]}"
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
