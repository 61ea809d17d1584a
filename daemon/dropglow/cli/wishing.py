"""Have wishes carried out: by the running service, or here in its place when none runs.

A wish reaches a service through the mailbox, because the ledger has one
writer. Whether a service runs may change at any moment; so a wish that finds
nobody is taken back and done here, and one that finds the place taken is posted.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dropglow.cli.exits import Exit
from dropglow.cli.ledger_access import holder
from dropglow.clock import Clock
from dropglow.ledger.lock import Busy
from dropglow.ledger.mailbox import WISHES_FOLDER, Mailbox, Verb, Wish

PATIENCE_S: Final = 10.0
LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one wish, in words, and what that means for the exit code."""

    target: str
    text: str
    hint: str = ""
    by: str  # ``service``, ``command``, or ``nobody``
    code: Exit = Exit.DONE


def wish_for(verb: Verb, target: str, *, argument: str = "", at: datetime) -> Wish:
    """Return a wish with a key that nobody else has."""
    return Wish(
        key=f"{verb.value}-{secrets.token_hex(8)}", verb=verb, target=target, argument=argument, asked_at=at
    )


class Wisher:
    """Have wishes carried out on one state folder."""

    def __init__(self, state: Path, *, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        """Act on *state*; wait *patience_s* seconds for a service that does not answer."""
        self._state = state
        self._clock = clock
        self._patience_s = patience_s
        self._mailbox = Mailbox(state / WISHES_FOLDER)
        self._posted: set[str] = set()

    async def ask(self, wishes: Sequence[Wish]) -> tuple[Outcome, ...]:
        """Have every one of *wishes* carried out and return what became of each, in their order.

        Raises:
            LedgerUnavailable: The ledger or the mailbox cannot be used.
            LedgerError: The ledger is damaged, or of another version.
        """
        outcomes: dict[str, Outcome] = {}
        try:
            await self._until_answered(wishes, outcomes)
        finally:
            # Also when interrupted: nothing is to happen later behind the back of who asked.
            for wish in wishes:
                if wish.key not in outcomes:
                    outcomes[wish.key] = self._given_up(wish)
        return tuple(outcomes[wish.key] for wish in wishes)

    async def _until_answered(self, wishes: Sequence[Wish], outcomes: dict[str, Outcome]) -> None:
        give_up_s = self._clock.monotonic() + self._patience_s
        while waiting := [wish for wish in wishes if wish.key not in outcomes]:
            known = len(outcomes)
            outcomes.update(self._answers(waiting))
            if holder(self._state) is None:
                outcomes.update(await self._here([wish for wish in waiting if wish.key not in outcomes]))
            else:
                self._post(waiting)
            if len(outcomes) > known:
                give_up_s = self._clock.monotonic() + self._patience_s
                continue
            if self._clock.monotonic() >= give_up_s:
                return
            await self._clock.sleep(LOOK_S)

    async def _here(self, wishes: Sequence[Wish]) -> dict[str, Outcome]:
        """Carry out what no service has taken; nothing where one has just begun to run."""
        from dropglow.cli.standing_in import stand_in

        mine = [wish for wish in wishes if wish.key not in self._posted or self._mailbox.withdraw(wish.key)]
        self._posted -= {wish.key for wish in mine}
        if not mine:
            return {}
        try:
            return await stand_in(self._state, mine, clock=self._clock)
        except Busy:
            return {}

    def _post(self, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            if wish.key not in self._posted:
                self._posted.add(wish.key)
                self._mailbox.post(wish)

    def _answers(self, wishes: Sequence[Wish]) -> dict[str, Outcome]:
        found = {}
        for wish in wishes:
            if wish.key in self._posted and (outcome := self._answer(wish)) is not None:
                found[wish.key] = outcome
        return found

    def _answer(self, wish: Wish) -> Outcome | None:
        answer = self._mailbox.read_answer(wish.key)
        if answer is None:
            return None
        self._mailbox.discard(wish.key)
        text, _, hint = answer.text.partition("\n")
        code = Exit.DONE if answer.ok else Exit.TROUBLED
        return Outcome(target=wish.target, text=text, hint=hint, by="service", code=code)

    def _given_up(self, wish: Wish) -> Outcome:
        if wish.key in self._posted and not self._mailbox.withdraw(wish.key):
            return self._answer(wish) or _not_told_yet(wish)
        found = holder(self._state)
        pid = f" (pid {found.pid})" if found is not None and found.pid else ""
        return Outcome(
            target=wish.target,
            text=f"the service{pid} did not answer within {self._patience_s:g} s; nothing was changed",
            hint="is it stopped or very busy? see: dropglow status; then try again",
            by="nobody",
            code=Exit.LATER,
        )


def _not_told_yet(wish: Wish) -> Outcome:
    # Of spending as a whole there is no drop and no job to look at.
    about = f"about {wish.target}" if wish.target else f"to {wish.verb.value}"
    look = f"show {wish.target}" if wish.target else "status"
    return Outcome(
        target=wish.target,
        text=f"the service took the wish {about} and has not answered yet",
        hint=f"see what becomes of it: dropglow {look}",
        by="service",
        code=Exit.LATER,
    )
