"""Turn files dropped into a folder into Adobe Firefly's results in another folder.

The package holds the whole program. ``dropglow.cli`` is where a person or systemd enters it, ``dropglow.assembly``
is where its parts are put together, and every import points down from there; ``daemon/README.md`` is the map.
"""

__version__ = "0.1.0"
