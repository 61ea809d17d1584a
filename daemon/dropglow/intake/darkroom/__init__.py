"""The darkroom: a process of its own in which strangers' pictures are decoded, and which may die of them.

``room.Darkroom`` is what others use; it keeps the contract of ``intake.decoding``.
``process`` is one such process as its parent sees it, ``child`` what runs in
it, and ``messages`` what the two say to each other. Nothing here logs.
"""

from dropglow.intake.darkroom.messages import Allowance
from dropglow.intake.darkroom.room import Darkroom

__all__ = ["Allowance", "Darkroom"]
