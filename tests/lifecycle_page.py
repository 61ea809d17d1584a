"""Make ``daemon/lifecycle.md`` from the table: ``PYTHONPATH=daemon python tests/lifecycle_page.py``.

The arrows and the operator's wishes come from the code; only the plain words
stand here. A stage or a joint transition without words is a ``KeyError``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dropglow.events import Abandoned, Approved, Attached, CancelAsked, Event, ResubmitAsked, RetryAsked
from dropglow.lifecycle import JOINT_TRANSITIONS, RESTING, TRANSITIONS
from dropglow.model import Stage

S = Stage

PAGE: Final = Path(__file__).parents[1] / "daemon" / "lifecycle.md"

JOINT: Final[dict[tuple[Stage, Stage], str]] = {
    (S.SUBMITTING, S.CANCELLING): "Accepted, a cancel was waiting",
    (S.SUBMITTING, S.CANCELLED): "Declined, a cancel was waiting",
    (S.SUBMITTING, S.QUEUED): "Doubted, the rule says resubmit",
    (S.SUBMITTING, S.FAILED): "Declined once too often",
    (S.IN_DOUBT, S.CANCELLING): "Attached, a cancel was waiting",
}

WISHES: Final[dict[type[Event], str]] = {
    CancelAsked: "`cancel`",
    RetryAsked: "`retry`, or move the file from `_failed/` back into the inbox",
    ResubmitAsked: "`resolve --resubmit`",
    Approved: "`approve`",
    Abandoned: "`resolve --abandon`",
    Attached: "`resolve --job-id URN`",
}

# Stage: (meaning, who moves it on)
WORDS: Final[dict[Stage, tuple[str, str]]] = {
    S.QUEUED: (
        "Waits for its turn. Pictures are uploaded here: that is free and may be repeated. Nothing is bought yet.",
        "the service, as soon as limits and budget allow",
    ),
    S.HELD: (
        "More unpaid images waited under its rule than `hold_over` allows. It is not ordered and costs nothing.",
        "a person",
    ),
    S.SUBMITTING: (
        "The intent to buy is stored and the order is on its way. From here on it may cost money.",
        "Adobe's answer; after a crash the next start, which knows nothing and says so",
    ),
    S.RUNNING: (
        "Adobe took the order and gave a job id. Its status is asked for until it ends.",
        "Adobe; the service only asks",
    ),
    S.CANCELLING: (
        "Somebody wants it stopped. Adobe is told, and its status tells what became of it.",
        "Adobe: cancelled, failed, or finished all the same",
    ),
    S.FETCHING: (
        "The results exist and are paid for. They are downloaded under temporary names.",
        "the service; a dead link is replaced by asking for the status again",
    ),
    S.DELIVERING: (
        "Every result is on disk, whole and checked, and gets its final name.",
        "the service, as soon as the outbox takes it",
    ),
    S.DELIVERED: ("Every result stands in the outbox.", "nobody: this is the end"),
    S.IN_DOUBT: (
        "Nobody knows whether the order stands at Adobe. It counts as spent and is never repeated by itself.",
        "a person",
    ),
    S.FAILED: ("It ended without results, with a reason in words.", "a person"),
    S.CANCELLED: ("It ended because somebody wanted it to.", "a person"),
}

HEAD = """\
# The life of a job

Made from `dropglow/lifecycle.py` by `tests/lifecycle_page.py`; do not edit by hand.

A job carries one order from admission to the outbox. The names on the arrows are the events that make it
move; an arrow back to its own stage changes facts only. *GaveUp* ends a job without results and gives the
reason. *Postponed* is how a job waits: it notes a time and leaves the stage alone. Labels with a comma after
the event's name are moves that two facts make together.
"""


def readable(stage: Stage) -> str:
    """Return the stage's name as it is shown to people."""
    return stage.value.replace("_", " ")


def arrows() -> list[str]:
    """Return one line of the picture for each pair of stages that an event or two facts connect."""
    lines = []
    for source in Stage:
        for target in Stage:
            events = [event.__name__ for event, end in TRANSITIONS[source].items() if end is target]
            joint = [JOINT[source, target]] if (source, target) in JOINT_TRANSITIONS else []
            lines += [
                f"    {source.name} --> {target.name} : {label}"
                for label in (" / ".join(events), *joint)
                if label
            ]
    return lines


def picture() -> list[str]:
    """Return the state diagram, as Mermaid reads it."""
    names = [f'    state "{readable(stage)}" as {stage.name}' for stage in Stage]
    ends = [f"    {stage.name} --> [*]" for stage in Stage if not TRANSITIONS[stage]]
    marks = [
        "    classDef rest stroke-width:3px",
        f"    class {','.join(s.name for s in Stage if s in RESTING)} rest",
    ]
    return ["```mermaid", "stateDiagram-v2", *names, "    [*] --> QUEUED", *arrows(), *ends, *marks, "```"]


def table() -> list[str]:
    """Return the stages in plain words."""
    rows = ["| stage | what it means | who moves it on | what an operator can do |", "|---|---|---|---|"]
    for stage in Stage:
        meaning, mover = WORDS[stage]
        can = [words for event, words in WISHES.items() if event in TRANSITIONS[stage]]
        rows.append(f"| {readable(stage)} | {meaning} | {mover} | {', '.join(can) or 'nothing'} |")
    return rows


def page() -> str:
    """Return the whole page."""
    foot = "Stages with a thick border rest: the service does nothing about them on its own."
    return "\n".join([HEAD, *picture(), "", foot, "", *table(), ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
