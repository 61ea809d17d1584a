"""The disk: claim, write, sync, publish and move files without loss.

The other port of the machine beside the clock; tests bring their own. Nothing
else in Dropglow renames, and nothing here replaces a file unless it is told
to. What a verb reports as done survives a power cut: files are synced before
they get their final name, and folders after. May import the model and the
errors; called by whatever touches files.

Paths are absolute text as ``os.fsdecode`` gives it, so that names that are no
UTF-8 make the journey there and back. Every verb blocks; callers use threads.
"""

from __future__ import annotations

from dropglow.disk.base import Disk, NewFile, Stat
from dropglow.disk.descriptors import let_go
from dropglow.disk.reading import sha256_of
from dropglow.disk.real import RealDisk
from dropglow.disk.refusals import refusal, translated
from dropglow.naming import shown

__all__ = ["Disk", "NewFile", "RealDisk", "Stat", "let_go", "refusal", "sha256_of", "shown", "translated"]
