"""Say where a rule keeps files of its inbox from another rule of it, and nobody would see why. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dropglow.rules.load import Fault, Loaded
from dropglow.rules.markers import taken_for_marker


def marker_warnings(rules: Sequence[Loaded]) -> Iterator[Fault]:
    """Yield markers of one rule that are named like what another rule of the same inbox waits for."""
    for loaded in rules:
        if (ready := loaded.rule.ready) is None:
            continue
        for other in rules:
            if (
                other.rule is loaded.rule
                or (name := taken_for_marker(ready, loaded.rule, other.rule)) is None
            ):
                continue
            message = (
                f"{other.rule.name} never gets a file like {name}: in this inbox it is a marker by the name {ready}."
                f" Give the marker a name of its own, such as {{name}}.ready, or {other.rule.name} its own inbox"
            )
            yield loaded.entry.fault("ready", message)
