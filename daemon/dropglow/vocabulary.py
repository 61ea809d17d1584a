"""Every log event's name, once, as ``area.happened``.

Every event about a job carries ``job`` (ours), ``job_id`` (Adobe's, null while it
is unknown), ``rule`` and ``source``; every event about a drop ``drop``, ``rule`` and
``source``, but for a file that only waits in its inbox, which has no key yet. The fields
in the comments come on top. Facts go into fields, never into the name. A quiet inbox logs nothing.
"""

from __future__ import annotations

from typing import Final

SERVICE_STARTED: Final = "service.started"  # version, config, state, pid, inboxes, rules
SERVICE_STOPPING: Final = "service.stopping"  # reason
SERVICE_STOPPED: Final = "service.stopped"
SERVICE_FAILED: Final = "service.failed"  # reason, hint, faults, exit_code
SERVICE_TROUBLE: Final = "service.trouble"  # reason, hint, until
SERVICE_RECOVERED: Final = "service.recovered"
SERVICE_BUG: Final = "service.bug"  # job, traceback
SERVICE_NOTE: Final = "service.note"  # note
SERVICE_STUCK: Final = "service.stuck"  # reason
LEDGER_UNAVAILABLE: Final = "ledger.unavailable"  # reason, hint
BACKUP_MADE: Final = "backup.made"  # path
BACKUP_FAILED: Final = "backup.failed"  # reason, hint
CONFIG_RELOADED: Final = "config.reloaded"  # rules, inboxes, limits, begun, ended, changed, pending
CONFIG_BROKEN: Final = "config.broken"  # reason, hint, faults
CONFIG_NEEDS_RESTART: Final = "config.needs_restart"  # keys
CONFIG_WARNING: Final = "config.warning"  # warning
HTTP_LISTENING: Final = "http.listening"  # url, reason: who else may ask
SANDBOX_STARTED: Final = "sandbox.started"  # url

DECODING_UNPROTECTED: Final = "decoding.unprotected"  # reason

INBOX_WATCHED: Final = "inbox.watched"  # inbox, mode, reason
INBOX_OFFLINE: Final = "inbox.offline"  # inbox, reason
INBOX_ONLINE: Final = "inbox.online"  # inbox
INBOX_TROUBLE: Final = "inbox.trouble"  # inbox, reason
OUTBOX_OFFLINE: Final = "outbox.offline"  # outbox, reason
OUTBOX_ONLINE: Final = "outbox.online"  # outbox
WATCHER_DEAF: Final = "watcher.deaf"  # reason

DROP_ADMITTED: Final = (
    "drop.admitted"  # drop, rule, source, sha256, companions, jobs, images; of a folder: files
)
DROP_REOPENED: Final = "drop.reopened"  # drop, rule, source, jobs
DROP_UNMATCHED: Final = "drop.unmatched"  # inbox, source, reasons
DROP_NOT_READY: Final = "drop.not_ready"  # inbox, source, reason, give_up_s
DROP_WAITING: Final = "drop.waiting"  # inbox, rule, source, waits_for, patience_s
DROP_DONE: Final = "drop.done"  # drop, rule, source, results, place; of a folder: files, jobs
DROP_FAILED: Final = "drop.failed"  # drop, rule, source, reason, hint, place
DROP_HELD: Final = "drop.held"  # drop, rule, source, reason, place
DROP_DUPLICATE: Final = "drop.duplicate"  # drop, rule, source, earlier
DROP_KNOWN: Final = (
    "drop.known"  # drop, rule, source: saved again without a change, in an inbox whose originals stay
)
DROP_RETURNED: Final = "drop.returned"  # inbox, source, reason

COMPANION_WAITING: Final = "companion.waiting"  # inbox, source, waits_for, patience_s

UPLOAD_PREPARED: Final = (
    "upload.prepared"  # slot, picture, reasons, from_format, from_bytes, to_format, to_bytes
)

JOB_PREPARED: Final = "job.prepared"  # uploads
JOB_KEPT: Final = "job.kept"  # twin, path
JOB_BORROWED: Final = "job.borrowed"  # twin
JOB_HELD: Final = "job.held"  # reason, hint
JOB_APPROVED: Final = "job.approved"
JOB_SUBMITTING: Final = "job.submitting"  # attempt
JOB_SUBMITTED: Final = "job.submitted"  # attempt
JOB_RESCUED: Final = "job.rescued"  # its receipt had waited in the lifeboat
RECEIPT_STRANGE: Final = (
    "receipt.strange"  # of an order that this ledger, a copy, knows nothing of: job, job_id, at, hint
)
RECEIPT_UNSAFE: Final = "receipt.unsafe"  # neither ledger nor lifeboat can take it: job_id, hint
JOB_DECLINED: Final = "job.declined"  # reason, hint, until
JOB_IN_DOUBT: Final = "job.in_doubt"  # reason, hint
JOB_SUCCEEDED: Final = "job.succeeded"  # results, took_s
JOB_LATE: Final = "job.late"  # waited_s
JOB_FETCHED: Final = "job.fetched"  # size_bytes
JOB_LINKS_EXPIRED: Final = "job.links_expired"
JOB_SPOOL_LOST: Final = "job.spool_lost"
JOB_POSTPONED: Final = "job.postponed"  # reason, hint, until
JOB_FAILED: Final = "job.failed"  # reason, hint, billed
JOB_CANCEL_ASKED: Final = "job.cancel_asked"
JOB_CANCEL_SENT: Final = "job.cancel_sent"
JOB_CANCELLED: Final = "job.cancelled"
JOB_RETRIED: Final = "job.retried"
JOB_RESUBMITTED: Final = "job.resubmitted"
JOB_ABANDONED: Final = "job.abandoned"
JOB_ATTACHED: Final = "job.attached"

RESULT_DELIVERED: Final = "result.delivered"  # path
RESULT_SKIPPED: Final = "result.skipped"  # count, outbox, reason
RESULT_ODD: Final = "result.odd"  # index, reason
RESULT_FEWER: Final = "result.fewer"  # asked, got

BUDGET_SPENT: Final = "budget.spent"  # budget, spent, until
SPENDING_PAUSED: Final = "spending.paused"  # reason, hint
SPENDING_RESUMED: Final = "spending.resumed"

WISH_GRANTED: Final = "wish.granted"  # verb, target, answer
WISH_REFUSED: Final = "wish.refused"  # verb, target, answer
WISH_UNANSWERED: Final = "wish.unanswered"  # reason, hint

NOTIFY_FAILED: Final = "notify.failed"  # receiver, reason, hint: said once, until it works again
NOTIFY_RECOVERED: Final = "notify.recovered"  # receiver
NOTIFY_DROPPED: Final = "notify.dropped"  # receiver, title, reason
