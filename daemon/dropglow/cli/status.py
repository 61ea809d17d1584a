"""``dropglow status``: the service, its inboxes, and what needs a person.

Works with and without a running service. With ``--json`` one document::

    {"at", "config", "state",
     "config_faults": ["file:line:column: message"],    with any, what stands below may lack inboxes
     "service": {"running": bool, "pid", "version", "started_at", "sandbox", "config",
                 "trouble",                             null where it does not say
                 "config_read_at",                      when it read what is in force again; null: at its start
                 "config_faults", "config_faults_since",   of what it found on disk and did not take up
                 "restart_for": [key]},                 changed on disk, and taken up at a restart only
     "in_flight": count, "in_flight_limit": count,     jobs at Adobe
     "requests": {"last_minute", "per_minute", "last_day", "per_day"},   a limit may be null
     "inboxes": [{"folder", "mode": "notify" | "poll" | null, "mode_reason", "ready",
                  "settling",
                  "unready",                            files that lie still and are not whole
                  "unmatched",
                  "unmarked",                           drops that wait for their marker
                  "incomplete",                         drops that wait for a file that belongs to them
                  "lonely",                             files that wait for the drop that they belong to
                  "passed_over", "offline", "open_jobs",
                  "known",                              taken before and lying there still, with done: keep
                  "files", "look_s",                    seen by its last look over the inbox, and its seconds
                  "missed"}],                           files that no event announced, since the start
     "outboxes_away": [{"folder", "reason"}],           as jobs found them that have something to bring there
     "receivers_failing": [{"receiver", "reason"}],     of notifications: nothing arrives there at present
     "jobs": {stage: count}, "drops": {state: count},
     "in_doubt": [job], "late": [job],
     "waiting": [job],        something outside stands in their way; "failure" says what
     "money": {"paused", "budgets", "waiting", "held"},   see rations.py
     "failures": {"last_day": count,
                  "latest": [{"at", "drop", "job", "source", "rule", "failure"}]}}

``documents.py`` describes a job and a failure. Files in an inbox are counted by
the running service alone: without one they are null.
"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document with everything.")
@click.pass_obj
def command(option: str | None, *, as_json: bool) -> None:
    """Show the service, its inboxes, and what needs a person.

    Every job in doubt is listed with the ways to settle it, and the latest
    failures with their reasons. Exit code 0, whatever there is to tell.
    """
    from dropglow.cli.ledger_access import asked, holder, snapshot, surveyed
    from dropglow.cli.standing import document, gather
    from dropglow.clock import RealClock

    survey = surveyed(option)
    state = Path(survey.config.state)
    held_by = holder(state)
    told = snapshot(state, held_by)
    now = RealClock().now()
    standing = asked(state, lambda reader: gather(reader, survey, holder=held_by, snapshot=told, now=now))
    if as_json:
        from dropglow.cli.tables import print_json

        print_json(document(standing))
        return
    from dropglow.cli.status_page import show
    from dropglow.cli.tables import console

    show(standing, console())
