"""Delivery: bring verified results into an outbox, whole or not at all.

Belongs here: the temporary file of a download and what proves it complete
(``spool``), final names, sidecars and collisions (``outbox``), and reading
media types from bytes (``media``, ``chunks``). May import the
disk and what is below it; knows neither Adobe nor the ledger. Called by the
runtime, in threads: everything here blocks.

Bytes are never re-encoded: that would destroy their Content Credentials.
"""
