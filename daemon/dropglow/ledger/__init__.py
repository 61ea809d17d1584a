"""The ledger: what is promised, paid for and owed, kept durably.

Charter: stores and hands out drops and jobs by verbs of the domain; guards
in its schema what the lifecycle decides. May import the pure modules and
databases; never decides what a job becomes. Called by ``runtime`` and ``cli``
through the contract in ``base.py``; only ``app.py`` names a concrete ledger.
"""
