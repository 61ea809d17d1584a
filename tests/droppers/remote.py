"""Programs that bring files over the network, against real servers on loopback."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tests.droppers import servers
from tests.droppers.bed import Errand, Source
from tests.droppers.local import copies, each, run

CLIENTS: Final = 4


def scp(*options: str) -> Callable[[Errand], None]:
    """Return a dropper that copies by scp with these options."""

    def drop(errand: Errand) -> None:
        with servers.sshd(errand.workshop) as (port, entry):
            target = f"{servers.user()}@{servers.HOST}:{errand.inbox}/"
            run("scp", "-q", *options, *entry, "-P", str(port), *errand.paths, target)

    return drop


def rsync_ssh(errand: Errand) -> None:
    """Copy by rsync over SSH."""
    with servers.sshd(errand.workshop) as (port, entry):
        shell = " ".join(("ssh", "-p", str(port), *entry))
        run("rsync", "-e", shell, *errand.paths, f"{servers.user()}@{servers.HOST}:{errand.inbox}/")


def sftp_put(errand: Errand) -> None:
    """Put each file under its final name."""
    lines = [f'put "{source.path}" "{errand.inbox / source.name}"' for source in errand.sources]
    _sftp(errand, lines)


def sftp_rename(errand: Errand) -> None:
    """Put each file under another name, and rename it."""
    lines: list[str] = []
    for source in errand.sources:
        passing = errand.inbox / f"{source.name}.filepart"
        lines += [f'put "{source.path}" "{passing}"', f'rename "{passing}" "{errand.inbox / source.name}"']
    _sftp(errand, lines)


def _sftp(errand: Errand, lines: list[str]) -> None:
    commands = errand.workshop / "commands"
    commands.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with servers.sshd(errand.workshop) as (port, entry):
        at = f"{servers.user()}@{servers.HOST}"
        run("sftp", "-q", *entry, "-P", str(port), "-b", str(commands), at)


def smb(errand: Errand) -> None:
    """Put the files into a Samba share from four clients at once."""
    with servers.smbd(errand.inbox, errand.workshop) as port, ThreadPoolExecutor(CLIENTS) as pool:
        for _ in pool.map(lambda number: _smbclient(errand, port, number), range(CLIENTS)):
            pass


def _smbclient(errand: Errand, port: int, number: int) -> None:
    share = Errand(sources=errand.sources[number::CLIENTS], inbox=errand.inbox, workshop=errand.workshop)
    folder = errand.workshop / f"client {number}"
    copies(share, folder)
    commands = f'prompt OFF; lcd "{folder}"; mput *'
    settings = str(errand.workshop / "smb.conf")
    run("smbclient", f"//{servers.HOST}/inbox", "-p", str(port), "-N", "-s", settings, "-c", commands)


def ftp(*settings: str) -> Callable[[Errand], None]:
    """Return a dropper that puts the files by FTP, four at once, with these settings of lftp."""

    def drop(errand: Errand) -> None:
        with servers.vsftpd(errand.inbox, errand.workshop) as port:
            words = [f"set {setting}" for setting in ("ftp:charset UTF-8", "net:max-retries 3", *settings)]
            words.append(f"open -p {port} {servers.HOST}")
            words.append(f"mput -P {CLIENTS} {' '.join(_quoted(path) for path in errand.paths)}")
            run("lftp", "-c", "; ".join(words))

    return drop


def _quoted(path: str) -> str:
    return f'"{path}"'


Server = Callable[[Path, Path], AbstractContextManager[int]]


def curl_upload(scheme: str, server: Server) -> Callable[[Errand], None]:
    """Return a dropper that sends each file by curl to *server*."""

    def drop(errand: Errand) -> None:
        with server(errand.inbox, errand.workshop) as port:

            def bring(source: Source, target: Path) -> None:
                at = f"{scheme}://{servers.HOST}:{port}/{quote(target.name)}"
                run("curl", "-sSf", "--limit-rate", "200k", "-T", str(source.path), at)

            each(errand, bring, at_once=CLIENTS)

    return drop
