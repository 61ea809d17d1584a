"""Check the checker: break one rule of the product after the other, and see which seed notices.

``python -m tests.simulation.mutants [NAME …] [--most 2000] [--jobs 2]`` prints a table. Each mutant is a copy of the
package with some text exchanged, in a folder of its own; a text that is not there ends it.
"""

# ruff: noqa: ISC003, ISC004 - texts of several lines stand among others

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MOST: Final = 2000
PRODUCT: Final = "daemon/dropglow"


@dataclass(frozen=True, slots=True)
class Change:
    """One text in one file, and what stands there instead."""

    file: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """The product without one of its rules."""

    name: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Caught:
    """The first seed that noticed, and what it said; no seed: nobody did."""

    mutant: Mutant
    seed: int | None
    said: str


def mutant(name: str, *changes: tuple[str, str, str]) -> Mutant:
    """Return a mutant; each change is a file, what stands there, and what is to stand there."""
    return Mutant(name, tuple(Change(*change) for change in changes))


def hunt(prey: Mutant, *, most: int = MOST) -> Caught:
    """Run seeds on the mutant until one breaks a promise.

    Raises:
        ValueError: A text of the mutant is not, or no longer, in the product.
    """
    with tempfile.TemporaryDirectory(prefix="dropglow-mutant-") as folder:
        place = Path(folder)
        shutil.copytree(ROOT / PRODUCT, place / PRODUCT, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "tests/simulation", place / "tests/simulation")
        shutil.copy(ROOT / "tests/telling.py", place / "tests")
        for change in prey.changes:
            path = place / change.file
            text = path.read_text(encoding="utf-8")
            if text.count(change.before) != 1:
                raise ValueError(
                    f"{prey.name}: {text.count(change.before)} times in {change.file}: {change.before!r}"
                )
            path.write_text(text.replace(change.before, change.after), encoding="utf-8")
        command = [sys.executable, "-W", "ignore", "-m", "tests.simulation.run"]
        command += ["--seeds", f"0..{most}", "--stop-at", "1", "--json"]
        paths = os.pathsep.join((str(place / "daemon"), str(place)))
        done = subprocess.run(
            command,
            cwd=place,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
    return _read(prey, done)


def _read(prey: Mutant, done: subprocess.CompletedProcess[str]) -> Caught:
    if done.returncode not in {0, 1} or not done.stdout:
        raise RuntimeError(f"{prey.name} could not be run: {done.stderr[-2000:]}")
    broken: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])["broken"]
    for seed, said in broken.items():
        return Caught(prey, int(seed), said[0])
    return Caught(prey, None, "")


def main() -> int:
    """Hunt all mutants, or those that are named; return 1 if one survives."""
    parser = argparse.ArgumentParser(
        description="Break rules of the product and see whether the simulation notices."
    )
    parser.add_argument("names", nargs="*", help="parts of names; default all")
    parser.add_argument("--most", type=int, default=MOST, help="seeds for each")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    wanted = parser.parse_args()
    prey = [each for each in MUTANTS if not wanted.names or any(name in each.name for name in wanted.names)]
    survived = 0
    with ThreadPoolExecutor(wanted.jobs) as hunters:
        hunts = [hunters.submit(hunt, each, most=wanted.most) for each in prey]
        for caught in (each.result() for each in as_completed(hunts)):
            survived += caught.seed is None
            seed = "SURVIVED" if caught.seed is None else f"seed {caught.seed}"
            print(f"{caught.mutant.name:62} {seed:>10}  {caught.said[:90]}", flush=True)
    print(f"{len(prey)} mutants, {survived} survived")
    return 1 if survived else 0


LIFECYCLE: Final = f"{PRODUCT}/lifecycle.py"
EFFECTS: Final = f"{PRODUCT}/effects.py"
WORKER: Final = f"{PRODUCT}/runtime/worker.py"
FAULTS: Final = f"{PRODUCT}/firefly/faults.py"
CLIENT: Final = f"{PRODUCT}/firefly/client.py"
EXCHANGE: Final = f"{PRODUCT}/firefly/exchange.py"
REAL: Final = f"{PRODUCT}/disk/real.py"
RENAME: Final = f"{PRODUCT}/disk/rename.py"
OUTBOX: Final = f"{PRODUCT}/delivery/outbox.py"
KNOWN: Final = f"{PRODUCT}/delivery/known.py"
MEMORY: Final = f"{PRODUCT}/ledger/memory.py"
PLACES: Final = f"{PRODUCT}/runtime/places.py"
CLOSING: Final = f"{PRODUCT}/runtime/closing.py"
BOOKS: Final = f"{PRODUCT}/ledger/books.py"
SPOOL: Final = f"{PRODUCT}/delivery/spool.py"
ROOT_OF_INBOX: Final = f"{PRODUCT}/intake/root.py"

MUTANTS: Final = (
    mutant(
        "the intent is stored after the order is sent",
        (f"{PRODUCT}/runtime/ordering.py", "            await store_intent()\n            stored = True\n", "            stored = True\n"),
        (WORKER, "            answer = await insist(place, self._clock)\n            return await self.tell(stored, answer, hand)\n",
         "            answer = await insist(place, self._clock)\n" +
         "            job = await self._begin(job, Began(at=self._clock.now()), hand)\n" +
         "            return await self.tell(job, answer, hand)\n"),
    ),
    mutant(
        "the intent is stored after the first byte",
        (EXCHANGE, '        if event.endswith("send_request_headers.started"):\n',
         '        if event.endswith("receive_response_headers.started"):\n'),
        (EXCHANGE, "        if self._exchange.sealed:\n            raise RuntimeError(_SILENT)\n", ""),
    ),
    mutant(
        "the connection is made after the intent is stored",
        (EXCHANGE, "            response = await self._head()\n            while",
         "            if self._before_sending is not None:\n                await self._before_sending()\n" +
         "                self._before_sending = None\n            response = await self._head()\n            while"),
    ),
    mutant(
        "a new owner does not doubt an order on the wire",
        (LIFECYCLE, "    if job.stage is not Stage.SUBMITTING:\n        return None\n    return Doubted",
         "    if job is not None:\n        return None\n    return Doubted"),
    ),
    mutant(
        "a new owner sends an order on the wire again",
        (LIFECYCLE, "    if job.stage is not Stage.SUBMITTING:\n        return None\n    return Doubted",
         "    if job is not None:\n        return None\n    return Doubted"),
        (LIFECYCLE, "    if job.stage in RESTING or job.stage is Stage.SUBMITTING:", "    if job.stage in RESTING:"),
        (LIFECYCLE, "        case Stage.QUEUED:\n            return Submit()", "        case Stage.SUBMITTING:\n" +
         "            return Submit()\n        case Stage.QUEUED:\n            return Submit()"),
        (LIFECYCLE, "    S.SUBMITTING: {\n", "    S.SUBMITTING: {\n        Began: S.SUBMITTING,\n"),
    ),
    mutant("an unknown outcome is queued again", (LIFECYCLE, "Doubted: S.IN_DOUBT", "Doubted: S.QUEUED")),
    mutant(
        "a lost answer to an order means that it was not accepted",
        (FAULTS, "verdict=Verdict.UNKNOWN if doubtful else Verdict.LATER,\n        service_wide=call is Call.TOKEN",
         "verdict=Verdict.LATER,\n        service_wide=call is Call.TOKEN"),
    ),
    mutant(
        "trouble at Adobe's side means that the order was not accepted",
        (FAULTS, "    return Verdict.UNKNOWN if reading.call is Call.SUBMIT else Verdict.LATER\n", "    return Verdict.LATER\n"),
    ),
    mutant(
        "an answer without a receipt means that the order was not accepted",
        (FAULTS, "    return _senseless(reading, Verdict.UNKNOWN if reading.call is Call.SUBMIT else Verdict.LATER)",
         "    return _senseless(reading, Verdict.LATER)"),
    ),
    mutant(
        "an order that answers 409 was not accepted",
        (FAULTS, "        return _senseless(reading, Verdict.UNKNOWN)\n", "        return _senseless(reading, Verdict.LATER)\n"),
    ),
    mutant(
        "what broke on the wire was not sent",
        (EXCHANGE, "        return self._started or not (self._traced or isinstance(error, _NOT_SENT))",
         "        return False"),
    ),
    mutant(
        "the client sends an order again by itself",
        (CLIENT, "        reply = await attempt(token, before_sending)\n        self._heard",
         "        reply = await attempt(token, before_sending)\n        if isinstance(reply, Broken):\n            reply = await attempt(token)\n        self._heard"),
    ),
    mutant(
        "the receipt is forgotten",
        (EFFECTS, "replace(job, submission=submission, accepted_at=at, declines=0, trips=0)",
         "replace(job, accepted_at=at, declines=0, trips=0)"),
    ),
    mutant(
        "the job id is forgotten while the job runs",
        (EFFECTS, "            return replace(job, not_before=until, failure=failure, trips=job.trips + 1)",
         "            return replace(job, not_before=until, failure=failure, trips=job.trips + 1, submission=None)"),
    ),
    mutant(
        "a job that Adobe ended badly is ordered again",
        (LIFECYCLE, "        Postponed: S.RUNNING,\n        GaveUp: S.FAILED,", "        Postponed: S.RUNNING,\n        GaveUp: S.QUEUED,"),
    ),
    mutant(
        "trouble while waiting orders again",
        (LIFECYCLE, "        Postponed: S.RUNNING,", "        Postponed: S.QUEUED,"),
    ),
    mutant(
        "expired links order again",
        (LIFECYCLE, "        LinksExpired: S.FETCHING,", "        LinksExpired: S.QUEUED,"),
    ),
    mutant(
        "a wish to cancel ends the job at once",
        (LIFECYCLE, "        CancelAsked: S.CANCELLING,", "        CancelAsked: S.CANCELLED,"),
    ),
    mutant(
        "a cancelling that was sent is taken for confirmed",
        (LIFECYCLE, "        CancelSent: S.CANCELLING,", "        CancelSent: S.CANCELLED,"),
    ),
    mutant(
        "an answer is dropped when the ledger cannot be written",
        (WORKER, "        return await insist(save, self._clock, at_first=rescue)\n", "        return await save()\n"),
    ),
    mutant(
        "a job is saved without compare-and-set",
        (MEMORY, "        if stored.revision != before.revision or owner not in {None, holder}:", "        if owner not in {None, holder}:"),
        (MEMORY, "        if not allowed(stored.stage, after.stage):", "        if not allowed(before.stage, after.stage):"),
    ),
    mutant(
        "files are not synced",
        (REAL, "            os.fsync(descriptor)\n            result", "            result"),
    ),
    mutant(
        "folders are not synced",
        (REAL, "    try:\n        os.fsync(folder)\n    except", "    try:\n        pass\n    except"),
    ),
    mutant(
        "a moved file's folders are not synced",
        (REAL, "        rename(source, target)\n        self._sync_names(*_folders([(source, target)]))\n",
         "        rename(source, target)\n"),
    ),
    mutant(
        "claimed files' folders are not synced",
        (REAL, "        unsynced = {folder: self._fault_of_syncing(folder) for folder in _folders(moved)}",
         "        unsynced: dict[str, DiskError | None] = dict.fromkeys(_folders(moved))"),
    ),
    mutant(
        "moving replaces what has the name",
        (RENAME, "            _rename_noreplace(source, target)\n", "            os.replace(source, target)\n"),
    ),
    mutant(
        "results replace what has their name",
        (REAL, "        if not replace:\n            self.move(temporary, final)\n            return\n", ""),
        (OUTBOX, "        if standing is not None and not (replace and standing.regular):\n            self._withdraw", "        if standing is None and replace:\n            self._withdraw"),
    ),
    mutant(
        "a result is not known again after a crash",
        (KNOWN, "            or found.inode == self.artifact.inode\n", ""),
    ),
    mutant(
        "a result found under its name is not synced",
        (OUTBOX, '        self.disk.sync_folder(final.rpartition("/")[0])\n        return final', "        return final"),
    ),
    mutant(
        "a result is delivered before it is checked",
        (SPOOL, "            if not ends_well(file, media, stat.size_bytes):", "            if False:"),
        (SPOOL, "            size = _decoded(file, media)\n", "            size = None\n"),
        (EXCHANGE, "        return Broken(sent=True, why=why, begun=answer) if why and response.is_success else answer", "        return answer"),
        (f"{PRODUCT}/firefly/results.py", "        if expected_bytes is not None and expected_bytes != reply.size_bytes:", "        if expected_bytes is None:"),
        (SPOOL, "        if expected_bytes is not None and expected_bytes != self.size_bytes:", "        if False:"),
    ),
    mutant(
        "drops are closed before their jobs rest",
        (CLOSING, "            if drop.state is not DropState.OPEN or any(job.stage not in RESTING for job in jobs):",
         "            if drop.state is not DropState.OPEN:"),
        (MEMORY, "        busy = {job.drop for job in self._jobs.values() if job.stage not in RESTING}", "        busy = set[DropKey]()"),
    ),
    mutant(
        "a drop is deleted although its job failed",
        (f"{PRODUCT}/runtime/possessions.py", "            return drop.after.failed", "            return drop.after.done"),
    ),
    mutant(
        "a drop is closed before its file is in its place",
        (CLOSING, "        except DiskError as trouble:\n            self._put_off(drop, trouble)\n            return False\n        reason",
         "        except DiskError:\n            after = replace(drop, state=reports.outcome(drop, jobs), closed_at=now)\n        reason"),
    ),
    mutant(
        "failed drops have no report",
        (CLOSING, "        write_report(self._disk, drop, drop.state, text)\n", "        assert text\n"),
    ),
    mutant(
        "claimed files that nobody admitted stay in work",
        (f"{PRODUCT}/runtime/orphans.py", "        for orphan in family:\n            await self.in_thread(self._put, orphan, foreign=foreign)\n", "        for orphan in family:\n"),
    ),
    mutant(
        "a file that goes back replaces what was dropped meanwhile",
        (f"{PRODUCT}/intake/returning.py", "                self._disk.move(orphan.place, final)", "                self._disk.publish(orphan.place, final, replace=True)"),
    ),
    mutant(
        "a file in its last folder replaces another one of its name",
        (PLACES, "            disk.move(place, target)\n            return target\n", "            disk.publish(place, target, replace=True)\n            return target\n"),
        (PLACES, "    there = disk.look(target)\n    if there is None:\n        return True\n", "    if target:\n        return True\n    there = disk.look(target)\n    assert there\n"),
    ),
    mutant(
        "an inbox whose disk refused is never asked again",
        (f"{PRODUCT}/intake/syncing.py", "        if self._reason and now_s >= self._until_s:\n", "        if self._reason and now_s < 0:\n"),
    ),
    mutant(
        "an outbox that refused is never asked again",
        (f"{PRODUCT}/runtime/outboxes.py", "            if finding is None or self._clock.monotonic() >= finding.at_s + FRESH_S:\n", "            if finding is None:\n"),
    ),
    mutant(
        "a file that its last folder refused is not put away again",
        (CLOSING, " if self._later.get(drop.key, 0.0) <= now_s]", " if drop.key not in self._later]"),
    ),
    mutant(
        "what was bought in doubt is bought again for its double",
        (f"{PRODUCT}/runtime/reusing.py", "        if twin.stage is Stage.IN_DOUBT:\n            return GaveUp", "        if twin.stage is None:\n            return GaveUp"),
    ),
    mutant(
        "an order under way is bought again for its double",
        (WORKER, "            if (reused := await", "            if isinstance(act, Prepare) and (reused := await"),
        (WORKER, "hand.stopping or reused is not None:", "hand.stopping:"),
    ),
    mutant(
        "a budget is looked at before an order, and not once more with its intent",
        (MEMORY, "            await self.refuse_excess(before, event.booking)\n", "            assert event.booking\n"),
    ),
    mutant(
        "a pause is looked at before an order, and not once more with its intent",
        (BOOKS, "        if self._switch is not None and self._switch.stopped:\n", "        if self._switch is not None and self._switch is None:\n"),
    ),
    mutant(
        "a pause stops nothing",
        (BOOKS, "        if self._switch is not None and self._switch.stopped:\n", "        if self._switch is not None and self._switch is None:\n"),
        (f"{PRODUCT}/runtime/purse.py", "        self._gate.stopped = switch is not None and switch.stopped\n", "        self._gate.stopped = False\n"),
    ),
    mutant(
        "an accepted order is looked for where nothing is",
        (f"{PRODUCT}/firefly/wire.py", "for url in found if job_id_like(_last_segment(url))", "for url in found if job_id_like(url)"),
    ),
    mutant(
        "what is in doubt costs nothing",
        (BOOKS, "not bought.live and not bought.remote_id and isinstance(event, Declined | GaveUp)",
         "not bought.remote_id and not isinstance(event, Began)"),
    ),
    mutant(
        "what needs approval goes on without",
        (f"{PRODUCT}/runtime/purse.py", "        if waiting + more > most:\n", "        if waiting + more < 0:\n"),
    ),
    mutant(
        "every host is trusted",
        (f"{PRODUCT}/firefly/hosts.py", "        return any(glob.fullmatch(origin.host) for glob in globs)\n", "        return bool(globs)\n"),
    ),
    mutant(
        "copies of originals are not known after a crash",
        (f"{PRODUCT}/ledger/memory_reading.py", "        return {path: original for path, original in found.items() if original is not None}", "        return {}"),
    ),
    mutant(
        "the inbox is not looked for before a drop is closed",
        (CLOSING, "        self._away = away\n", "        self._away = _never_away\n"),
    ),
    mutant(
        "a returning share is not taken up again",
        (ROOT_OF_INBOX, "                self._hold_again(patient=True)\n                self.adopt()\n", "                raise strange(self._folder)\n"),
    ),
    mutant(
        "a bare mount point is taken for its share",
        (ROOT_OF_INBOX, "                raise strange(self._folder)\n", "                return known.mark\n"),
    ),
    mutant(
        "our folder is made in whatever stands in an inbox's place",
        (REAL, "            if (found.st_dev, found.st_ino) != (device, inode):\n", "            if found.st_size < 0:\n"),
    ),
    mutant(
        "an outbox that is missing is not missed, and is made again",
        (f"{PRODUCT}/runtime/outboxes.py", "        return self._told(outbox, await self._ground.away(Role.OUTBOX, outbox))\n", "        return None\n"),
        (f"{PRODUCT}/delivery/place.py", "    if not make or disk.look(", "    if disk.look("),
    ),
    mutant(
        "what may have been moved when a share went is not looked for",
        (f"{PRODUCT}/intake/claiming.py", "    return not isinstance(outcome, NameTaken)\n", "    return outcome is None\n"),
    ),
    mutant(
        "a moved file is known by its number alone",
        (PLACES, "        if is_of(disk, drop, place) and not is_about_another(disk, drop, place):\n", "        if parent is None:\n"),
    ),
    mutant(
        "commits are not durable when they return",
        ("tests/simulation/books.py", "        answer = answered(verb(*args, **kwargs))\n",
         "        before = {key: type(value)(value) for key, value in vars(self._ledger).items() if isinstance(value, dict | list)}\n"
         '        if name in {"save", "admit"}:\n            self._machine.forgettable = lambda: vars(self._ledger).update(before)\n'
         "        answer = answered(verb(*args, **kwargs))\n"),
        ("tests/simulation/machine.py", "            self._undo()\n            self._tear()\n",
         '            self._undo()\n            self._tear()\n            getattr(self, "forgettable", lambda: None)()\n            self.forgettable = lambda: None\n'),
    ),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
