"""Intake: from a file in an inbox to a claimed, hashed and examined drop.

Belongs here: looking at inbox folders, deciding when a file lies still, looking
into it, and claiming it into the hidden work folder. Does not belong here: which
rule takes a file (``rules``), what becomes of it (``runtime``), what is remembered
(``ledger``). May import ``disk``, ``clock`` and the layers below. Called by ``runtime``;
every inbox by a thread of its own, since a network folder may hang for minutes.

The scan is the truth; a watchdog event only rings the doorbell, so that the next
scan comes sooner.
"""
