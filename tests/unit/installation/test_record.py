"""What was made is remembered, and read again as it was."""

from __future__ import annotations

import pytest

from dropglow.errors import InstallationError
from dropglow.installation.record import Record, read_record

RECORD = (
    Record()
    .with_file("/a", "1")
    .with_file("/b", "2")
    .with_folder("/c")
    .with_folder("/c")
    .with_link("/d", "/e")
    .with_user("u")
)


def test_it_is_read_as_it_was_written() -> None:
    """In its order: what came last goes first."""
    assert RECORD == read_record(RECORD.text())
    assert ["/a", "/b"] == list(read_record(RECORD.text()).files)


def test_what_is_undone_is_struck_off() -> None:
    """Until nothing is left."""
    rest = RECORD.without("/a").without("/b").without("/c").without("/d")

    assert Record(users=("u",)) == rest
    assert Record() == rest.without_user("u")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        ('{"version_of_document": 2}', "newer"),
        ('{"version_of_document": 1, "files": []}', "damaged"),
    ],
)
def test_what_cannot_be_read_is_not_guessed(text: str, why: str) -> None:
    """Nothing is removed by a record that is damaged or of a newer version."""
    with pytest.raises(InstallationError, match=why):
        read_record(text)
