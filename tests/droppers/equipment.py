"""Find the programs that drop files, and install from Debian those that are missing, where that was asked for.

``TEST_DROPPERS=200`` sends two hundred files through each program, and installs what is missing if the tests run as root
where there is apt. Without it ten files go through each program that happens to be here, and nothing is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FEW: Final = 10
MANY: Final = 200
POLICY: Final = Path("/usr/sbin/policy-rc.d")
FORBID_SERVICES: Final = "#!/bin/sh\nexit 101\n"
PLACES: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Debian's name of the package that brings a program, where it is another one.
PACKAGES: Final = {
    "dd": "coreutils",
    "fallocate": "util-linux",
    "fusermount3": "fuse3",
    "lighttpd": "lighttpd-mod-webdav",
    "scp": "openssh-client",
    "sftp": "openssh-client",
    "smbd": "samba",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
}


def files_each() -> int:
    """Return how many files go through each program: ``TEST_DROPPERS`` says it, and 1 means two hundred."""
    said = int(os.environ.get("TEST_DROPPERS") or 0)
    return {0: FEW, 1: MANY}.get(said, said)


def thorough() -> bool:
    """Return whether everything is to be tried, at its full size, with what has to be installed for it."""
    return bool(os.environ.get("TEST_DROPPERS"))


def program(name: str) -> str | None:
    """Return where a program is, looked for also where only administrators look."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{PLACES}")


def missing(names: Iterable[str]) -> list[str]:
    """Return which programs are not here."""
    return [name for name in names if program(name) is None]


def can_install() -> bool:
    """Return whether programs may be installed here."""
    return thorough() and os.geteuid() == 0 and program("apt-get") is not None


def install(names: Iterable[str]) -> str:
    """Install the packages that bring these programs; return what was done, in one sentence.

    Their services do not start: the tests run servers of their own. What cannot be had is missing afterwards, and the
    tests that need it say so.
    """
    packages = sorted({PACKAGES.get(name, name) for name in missing(names)})
    if not packages:
        return "every program that drops files is here"
    forbid = not POLICY.exists()
    if forbid:
        POLICY.write_text(FORBID_SERVICES, encoding="ascii")
        POLICY.chmod(0o755)
    try:
        _apt("update")
        refused = [each for each in packages if not _apt("install", "--yes", "--no-install-recommends", each)]
    finally:
        if forbid:
            POLICY.unlink()
    told = f"installed {', '.join(each for each in packages if each not in refused) or 'nothing'}"
    return f"{told}; could not install {', '.join(refused)}" if refused else told


def _apt(*words: str) -> bool:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(["apt-get", "--quiet", *words], env=environ, capture_output=True, timeout=600)
    return done.returncode == 0
