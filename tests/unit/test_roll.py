"""The table of very many files: every key keeps its row, however the table grows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dropglow.roll import Roll

KEYS = st.integers(-(2**63), 2**63 - 1).filter(bool)


def enter(roll: Roll, key: int, mark: int = 1) -> None:
    row = roll.row(key)
    if not roll.marks[row]:
        row = roll.enter(key, row)
    roll.marks[row], roll.prints[row], roll.since_s[row] = mark, key, float(mark)


@given(keys=st.lists(st.tuples(KEYS | st.integers(1, 40), st.booleans()), max_size=300))
def test_it_is_a_dictionary(keys: list[tuple[int, bool]]) -> None:
    """What was entered is found with all that was written beside it, and nothing else is."""
    roll, known = Roll(), {}
    for number, (key, enters) in enumerate(keys, start=1):
        if enters:
            enter(roll, key, number)
            known[key] = number
        else:
            roll.marks[roll.row(key)] = 0
            known.pop(key, None)

        found = {key: roll.marks[roll.row(key)] for key, _ in keys}
        assert {key: known.get(key, 0) for key in found} == found
    for key, number in known.items():
        row = roll.row(key)
        assert (key, float(number)) == (roll.prints[row], roll.since_s[row])


def test_keys_that_meet_in_one_place_stay_apart() -> None:
    """They are as many rows as they are keys."""
    roll = Roll()
    for number in range(1, 6):
        enter(roll, number << 32, number)

    assert [1, 2, 3, 4, 5] == [roll.marks[roll.row(number << 32)] for number in range(1, 6)]


def test_it_takes_few_bytes_a_file() -> None:
    """A hundred thousand files that wait cost less than ten megabytes, and a million that came and went nothing."""
    roll = Roll()
    for number in range(1, 100_001):
        enter(roll, hash(str(number)))
    full = rows(roll)
    for number in range(1, 100_001):
        roll.marks[roll.row(hash(str(number)))] = 0
    for number in range(1, 400_000):
        enter(roll, hash(str(-number)))
        roll.marks[roll.row(hash(str(-number)))] = 0

    assert 32 * full <= 86 * 100_000
    assert rows(roll) <= full


def rows(roll: Roll) -> int:
    return len(roll.keys)
