"""How people are told who watch no log: what is sent to whom, and one attempt at a time.

When and of how much is decided by ``gathering``; who tries again, and for how long, by
``runtime.notifying``. May import what lies below ``runtime``, and no sibling. The optional
apprise is imported in ``everywhere`` only, httpx in ``posting`` only.
"""
