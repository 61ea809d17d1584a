"""Files that the disk would not give us rest, and are told."""

from __future__ import annotations

from dataclasses import replace

from dropglow.intake.refused import Refused
from dropglow.intake.scan import Snag
from dropglow.model import Sighting

BEACH = Sighting(path="beach.jpg", device=1, inode=2, size_bytes=7, mtime_ns=1, ctime_ns=3)


def test_a_refused_file_rests_half_a_minute() -> None:
    """It is left alone at first, and offered again later."""
    refused = Refused()
    refused.add(BEACH, "permission denied", now_s=100)

    assert refused.resting(BEACH, now_s=129)
    assert not refused.resting(BEACH, now_s=130)
    assert (Snag(path="beach.jpg", reason="permission denied"),) == refused.snags()


def test_each_refusal_doubles_the_rest_up_to_ten_minutes() -> None:
    """A file that stays locked costs less and less."""
    refused = Refused()
    for _ in range(9):
        refused.add(BEACH, "permission denied", now_s=100)

    assert refused.resting(BEACH, now_s=699)
    assert not refused.resting(BEACH, now_s=700)


def test_a_changed_file_does_not_rest() -> None:
    """New content is a new chance; a new ctime alone is not."""
    refused = Refused()
    refused.add(BEACH, "permission denied", now_s=100)

    assert not refused.resting(replace(BEACH, size_bytes=8), now_s=101)
    assert refused.resting(replace(BEACH, ctime_ns=8), now_s=101)


def test_a_changed_file_starts_with_a_short_rest() -> None:
    """The doubling belongs to one content."""
    refused = Refused()
    refused.add(BEACH, "permission denied", now_s=100)
    changed = replace(BEACH, mtime_ns=8)
    refused.add(changed, "permission denied", now_s=100)

    assert not refused.resting(changed, now_s=130)


def test_a_file_that_is_gone_is_forgotten() -> None:
    """The list does not grow for ever."""
    refused = Refused()
    refused.add(BEACH, "permission denied", now_s=100)
    refused.keep_only({"other.jpg"})

    assert () == refused.snags()
