"""How the service shows itself: logs now, health and metrics beside them.

Charter: formats and emits; decides nothing. May import the pure modules and
the libraries it wraps. Called by ``app.py`` and ``cli``.
"""
