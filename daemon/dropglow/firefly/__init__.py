"""Speak Adobe Firefly's asynchronous API: tokens, uploads, orders, status, cancellation, results.

This package alone imports httpx, in ``exchange.py`` and ``client.py``; what decides (``wire``, ``faults``, ``hosts``)
is pure. It never repeats an order, never follows a redirect, and shows the token to trusted hosts only. Nothing
is imported here, so that settings can be read without loading an HTTP library. Called by ``runtime`` and ``app``.
"""
