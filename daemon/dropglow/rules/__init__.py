"""The rules: from YAML text to a decision, and from a decision to orders.

Charter: knows what an operator may write, says every fault of it with its
line, decides which rule takes a file and renders the requests that cost
money. Imports the pure modules, pydantic and the YAML parser; only
``load.py`` reads files. Called by ``config``, ``runtime`` and ``cli``.
"""
