"""Servers on loopback that take files, each for a ``with`` block and from a configuration of its own."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.droppers.equipment import program
from tests.droppers.local import run

START_S: Final = 30.0
HOST: Final = "127.0.0.1"

SSHD: Final = """
Port {port}
ListenAddress 127.0.0.1
HostKey {workshop}/host
AuthorizedKeysFile {workshop}/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
"""
SMBD: Final = """
[global]
smb ports = {port}
interfaces = 127.0.0.1
bind interfaces only = yes
server role = standalone server
private dir = {workshop}
lock directory = {workshop}
state directory = {workshop}
cache directory = {workshop}
pid directory = {workshop}
ncalrpc dir = {workshop}/ncalrpc
log file = {workshop}/log
map to guest = Bad User
guest account = {user}
disable netbios = yes
disable spoolss = yes
load printers = no
printcap name = /dev/null
[inbox]
path = {inbox}
guest ok = yes
read only = no
"""
VSFTPD: Final = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
seccomp_sandbox=NO
secure_chroot_dir={workshop}/empty
anonymous_enable=YES
no_anon_password=YES
anon_root={inbox}
anon_umask=022
anon_upload_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
allow_writeable_chroot=YES
write_enable=YES
"""
LIGHTTPD: Final = """
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{inbox}"
server.upload-dirs = ("{workshop}")
server.modules = ("mod_webdav")
server.errorlog = "{workshop}/log"
webdav.activate = "enable"
webdav.is-readonly = "disable"
"""


def free_port() -> int:
    """Return a port of this machine that nobody listens at now."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def user() -> str:
    """Return the name of whoever runs the tests."""
    return pwd.getpwuid(os.getuid()).pw_name


@contextmanager
def served(command: Sequence[str], port: int, log: Path) -> Iterator[None]:
    """Run a server in the foreground for a ``with`` block, and wait at first until it listens."""
    found = program(command[0])
    assert found is not None, f"{command[0]} is not here"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [found, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline_s = time.monotonic() + START_S
        while not _listens(port):
            told = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            assert server.poll() is None, f"{command[0]} ended: {told}"
            assert time.monotonic() < deadline_s, f"{command[0]} does not listen: {told}"
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait(START_S)


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((HOST, port)) == 0


@contextmanager
def sshd(workshop: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the port of an SSH server, and the options with which ``ssh`` and its kin are let in."""
    port, key = free_port(), workshop / "key"
    for path in (key, workshop / "host"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    settings = workshop / "sshd_config"
    settings.write_text(SSHD.format(port=port, workshop=workshop), encoding="utf-8")
    words = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
    options = ("-F", "/dev/null", "-i", str(key), *(f"-o{word}" for word in words))
    with served(["sshd", "-D", "-e", "-f", str(settings)], port, workshop / "sshd.log"):
        yield port, options


@contextmanager
def smbd(inbox: Path, workshop: Path) -> Iterator[int]:
    """Yield the port of a Samba server whose share ``inbox`` is open to everybody."""
    port, settings = free_port(), workshop / "smb.conf"
    settings.write_text(SMBD.format(port=port, workshop=workshop, inbox=inbox, user=user()), encoding="utf-8")
    words = ("--foreground", "--no-process-group", f"--configfile={settings}", "--debug-stdout")
    with served(["smbd", *words], port, workshop / "smbd.log"):
        yield port


@contextmanager
def vsftpd(inbox: Path, workshop: Path) -> Iterator[int]:
    """Yield the port of an FTP server that takes files from everybody."""
    port, settings = free_port(), workshop / "vsftpd.conf"
    (workshop / "empty").mkdir()
    settings.write_text(VSFTPD.format(port=port, workshop=workshop, inbox=inbox), encoding="utf-8")
    with served(["vsftpd", str(settings)], port, workshop / "vsftpd.log"):
        yield port


@contextmanager
def lighttpd(inbox: Path, workshop: Path) -> Iterator[int]:
    """Yield the port of lighttpd's WebDAV."""
    port, settings = free_port(), workshop / "lighttpd.conf"
    settings.write_text(LIGHTTPD.format(port=port, workshop=workshop, inbox=inbox), encoding="utf-8")
    with served(["lighttpd", "-D", "-f", str(settings)], port, workshop / "lighttpd.log"):
        yield port


@contextmanager
def rclone(inbox: Path, workshop: Path) -> Iterator[int]:
    """Yield the port of rclone's WebDAV."""
    port = free_port()
    words = ("serve", "webdav", "--addr", f"{HOST}:{port}", "--config", str(workshop / "rclone.conf"))
    with served(["rclone", *words, str(inbox)], port, workshop / "rclone.log"):
        yield port
