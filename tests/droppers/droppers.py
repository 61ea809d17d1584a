"""Every dropper of the bed: what brings files, and which programs that needs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.droppers import local, remote, servers
from tests.droppers.bed import Errand
from tests.droppers.equipment import missing

SSH: Final = ("sshd", "ssh-keygen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropper:
    """A way to bring files into an inbox."""

    drop: Callable[[Errand], None]
    needs: tuple[str, ...] = ()
    needs_root: bool = False

    def obstacle(self, errand: Errand) -> str:
        """Return why it cannot be tried here; nothing where it can."""
        lacking = missing(self.needs)
        if lacking:
            return f"{' and '.join(lacking)} missing here"
        if self.needs_root and os.geteuid() != 0:
            return f"{self.needs[0]} is for root only"
        if self.drop is local.mv_across and not _other_file_system(errand):
            return "there is no second file system here"
        return ""


def _other_file_system(errand: Errand) -> bool:
    try:
        return local.MEMORY.stat().st_dev != errand.inbox.stat().st_dev
    except FileNotFoundError:
        return False


DROPPERS: Final = {
    "cp": Dropper(drop=local.cp, needs=("cp",)),
    "cp-archive": Dropper(drop=local.cp_archive, needs=("cp",)),
    "cp-folder": Dropper(drop=local.cp_folder, needs=("cp",)),
    "mv": Dropper(drop=local.mv, needs=("mv",)),
    "mv-folder": Dropper(drop=local.mv_folder, needs=("mv",)),
    "mv-across": Dropper(drop=local.mv_across, needs=("mv",)),
    "ln": Dropper(drop=local.ln, needs=("ln",)),
    "dd-slow": Dropper(drop=local.by_shell(local.SLOWLY), needs=("dd",)),
    "append": Dropper(drop=local.by_shell(local.IN_PIECES), needs=("dd",)),
    "fallocate": Dropper(drop=local.by_shell(local.RESERVED), needs=("fallocate", "dd")),
    "atomic-save": Dropper(drop=local.by_shell(local.SAVED_OVER), needs=("mv", "sync")),
    "vim": Dropper(drop=local.vim, needs=("vim",)),
    "unzip": Dropper(drop=local.unzip, needs=("unzip",)),
    "tar": Dropper(drop=local.tar, needs=("tar",)),
    "curl-output": Dropper(drop=local.curl_output, needs=("curl",)),
    "rsync": Dropper(drop=local.rsync(), needs=("rsync",)),
    "rsync-archive": Dropper(drop=local.rsync("--archive"), needs=("rsync",)),
    "rsync-inplace": Dropper(drop=local.rsync("--inplace"), needs=("rsync",)),
    "rsync-partial": Dropper(drop=local.rsync("--partial"), needs=("rsync",)),
    "rsync-delay-updates": Dropper(drop=local.rsync("--delay-updates"), needs=("rsync",)),
    "rsync-ssh": Dropper(drop=remote.rsync_ssh, needs=("rsync", "ssh", *SSH)),
    "scp": Dropper(drop=remote.scp(), needs=("scp", *SSH)),
    "scp-legacy": Dropper(drop=remote.scp("-O"), needs=("scp", *SSH)),
    "sftp-put": Dropper(drop=remote.sftp_put, needs=("sftp", *SSH)),
    "sftp-rename": Dropper(drop=remote.sftp_rename, needs=("sftp", *SSH)),
    "samba": Dropper(drop=remote.smb, needs=("smbd", "smbclient"), needs_root=True),
    "ftp": Dropper(drop=remote.ftp(), needs=("vsftpd", "lftp")),
    "ftp-temporary": Dropper(drop=remote.ftp("xfer:use-temp-file yes"), needs=("vsftpd", "lftp")),
    "ftp-curl": Dropper(drop=remote.curl_upload("ftp", servers.vsftpd), needs=("vsftpd", "curl")),
    "webdav-lighttpd": Dropper(drop=remote.curl_upload("http", servers.lighttpd), needs=("lighttpd", "curl")),
    "webdav-rclone": Dropper(drop=remote.curl_upload("http", servers.rclone), needs=("rclone", "curl")),
}
