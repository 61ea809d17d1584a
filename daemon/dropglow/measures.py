"""Every metric's name, once, with what it counts: other people's dashboards and alerts rely on these names.

They follow Prometheus' conventions: ``dropglow_`` first, the unit last, ``_total`` for what only grows. A label holds a
name that a rule was given, or a word of ours; never a file's name, a folder, an id or an address. What is counted
begins at nought with each start of the service; what is shown as it stands comes from the ledger and survives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Sort(StrEnum):
    """Say how a metric behaves, in Prometheus' words."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One metric: its name, what it means, and by what it is told apart."""

    name: str
    sort: Sort
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()  # of a histogram, in seconds

    def series(self) -> tuple[str, ...]:
        """Return the names under which Prometheus stores it."""
        if self.sort is Sort.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
        return (self.name,)


Reading = Mapping[Measure, Sequence[tuple[tuple[str, ...], float]]]  # labels, in their order, and the value

MOMENTS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
ANSWERS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
WAITS: Final = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)


def _counter(name: str, text: str, *labels: str) -> Measure:
    return Measure(name=name, sort=Sort.COUNTER, text=text, labels=labels)


def _gauge(name: str, text: str, *labels: str) -> Measure:
    return Measure(name=name, sort=Sort.GAUGE, text=text, labels=labels)


def _histogram(name: str, buckets: tuple[float, ...], text: str, *labels: str) -> Measure:
    return Measure(name=name, sort=Sort.HISTOGRAM, text=text, labels=labels, buckets=buckets)


# Files.
DROPS_ADMITTED: Final = _counter("dropglow_drops_admitted_total", "Drops that were taken in.", "rule")
DROPS_CLOSED: Final = _counter(
    "dropglow_drops_closed_total", "Drops that were put away: done, failed or held.", "rule", "outcome"
)
INBOX_FILES: Final = _gauge(
    "dropglow_inbox_files", "Files that lie in the inboxes, by what they wait for.", "state"
)
INBOX_ONLINE: Final = _gauge("dropglow_inbox_online", "Whether the inbox of the rule is there.", "rule")
OUTBOX_ONLINE: Final = _gauge("dropglow_outbox_online", "Whether the outbox of the rule is there.", "rule")
MISSED_FILES: Final = _counter(
    "dropglow_watch_missed_files_total", "Files that no event of the file system announced."
)

# Jobs.
JOBS: Final = _gauge("dropglow_jobs", "Jobs that are not over, by rule and stage.", "rule", "stage")
JOBS_ADMITTED: Final = _counter("dropglow_jobs_admitted_total", "Jobs that were made of drops.", "rule")
JOBS_ENDED: Final = _counter(
    "dropglow_jobs_ended_total",
    "Jobs that came to an end: delivered, failed or cancelled.",
    "rule",
    "outcome",
)
JOBS_LATE: Final = _counter(
    "dropglow_jobs_late_total",
    "Jobs that took Adobe longer than job_timeout; they are still awaited.",
    "rule",
)
JOBS_REUSED: Final = _counter(
    "dropglow_jobs_reused_total", "Jobs that bought nothing, as the same had been bought before.", "rule"
)
IN_FLIGHT: Final = _gauge("dropglow_jobs_in_flight", "Jobs that take a place at Adobe.")
IN_FLIGHT_LIMIT: Final = _gauge("dropglow_jobs_in_flight_limit", "How many jobs may be at Adobe at once.")
ORDER_WAIT: Final = _histogram(
    "dropglow_order_wait_seconds", WAITS, "From taking a drop in to Adobe's receipt for its order.", "rule"
)
REMOTE_DURATION: Final = _histogram(
    "dropglow_remote_duration_seconds", WAITS, "From Adobe's receipt to its results.", "rule"
)
JOB_DURATION: Final = _histogram(
    "dropglow_job_duration_seconds", WAITS, "From taking a drop in to its results in the outbox.", "rule"
)
RESULTS_DELIVERED: Final = _counter(
    "dropglow_results_delivered_total", "Pictures and clips that were put into outboxes.", "rule"
)
RESULT_BYTES: Final = _counter(
    "dropglow_results_delivered_bytes_total", "Bytes of results that were put into outboxes.", "rule"
)
LAST_DELIVERY: Final = _gauge(
    "dropglow_last_delivery_timestamp_seconds", "When the rule delivered last, since the start.", "rule"
)

# Money.
ORDERS: Final = _counter(
    "dropglow_orders_total",
    "Orders by their answer: accepted, declined, refused or in_doubt.",
    "rule",
    "outcome",
)
SPENT_IMAGES: Final = _counter(
    "dropglow_spent_images_total",
    "Images that were ordered and count as spent, those in doubt included.",
    "rule",
)
SPENT_OPERATIONS: Final = _counter(
    "dropglow_spent_operations_total", "The same in operations, which are what Adobe bills.", "rule"
)
BUDGET_LIMIT: Final = _gauge(
    "dropglow_budget_limit", "What may be spent; rule is empty for all together.", "rule", "period", "unit"
)
BUDGET_LEFT: Final = _gauge(
    "dropglow_budget_left",
    "What is left of it now; rule is empty for all together.",
    "rule",
    "period",
    "unit",
)
SPENDING_PAUSED: Final = _gauge("dropglow_spending_paused", "Whether spending waits for `dropglow resume`.")

# Adobe.
API_REQUESTS: Final = _counter(
    "dropglow_api_requests_total",
    "Requests to Adobe by what was asked and what came of it.",
    "call",
    "outcome",
)
API_DURATION: Final = _histogram(
    "dropglow_api_request_duration_seconds", ANSWERS, "How long Adobe's answers took.", "call"
)
API_TROUBLE: Final = _gauge("dropglow_api_trouble", "Whether Adobe takes no orders for now.")
API_QUOTA_USED: Final = _gauge(
    "dropglow_api_quota_used", "Orders and uploads in the last minute and day, which limits count.", "window"
)

# The service itself.
LEDGER_WRITE: Final = _histogram(
    "dropglow_ledger_write_duration_seconds", MOMENTS, "How long it took until a change was safe on disk."
)
LEDGER_FAILURES: Final = _counter(
    "dropglow_ledger_failures_total", "Changes that the ledger could not take in; they are tried again."
)
LIVE: Final = _gauge("dropglow_live", "Whether every part of the service comes round.")
READY: Final = _gauge("dropglow_ready", "Whether the service takes files in.")
CONFIG_FAULTS: Final = _gauge(
    "dropglow_config_faults", "Faults of the configuration on disk, while an older one is in force."
)
RESTART_NEEDED: Final = _gauge("dropglow_restart_needed", "Whether a changed setting waits for a restart.")
STATE_FREE: Final = _gauge("dropglow_state_free_bytes", "Room that is left on the disk of the ledger.")
BUILD: Final = _gauge("dropglow_build_info", "Always 1; the labels say what runs.", "version", "python")
START_TIME: Final = _gauge("process_start_time_seconds", "When the service was started.")
CPU: Final = _counter("process_cpu_seconds_total", "Processor time that the service used.")
MEMORY: Final = _gauge("process_resident_memory_bytes", "Memory of the service.")
OPEN_FILES: Final = _gauge("process_open_fds", "Files and connections that the service has open.")

MEASURES: Final = tuple(each for each in list(globals().values()) if isinstance(each, Measure))
