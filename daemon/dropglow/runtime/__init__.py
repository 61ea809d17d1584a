"""The runtime: the loops that drive intake, jobs and delivery, and nothing else.

Charter: asks the pure modules what to do, does it through intake, firefly,
ledger and delivery, and says once in the log what happened. It may import
everything below it but no concrete ledger. Called by ``app.py``.
"""
