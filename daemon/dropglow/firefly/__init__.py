"""Speak Adobe Firefly's asynchronous API: tokens, uploads, orders, status, cancellation, results, custom models.

This package alone imports httpx; what decides (``wire``, ``faults``, ``hosts``, ``custom_models``, ``custom_rules``) is
pure. It never repeats an order, never follows a redirect, shows the token to trusted hosts only, and takes no result
from inside a network. Nothing is imported here, so that settings can be read without loading an HTTP library. Called
by ``runtime`` and ``app``, and by commands that ask Adobe themselves.
"""
