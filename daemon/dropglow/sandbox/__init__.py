"""Pretend to be Adobe Firefly: a world without I/O, and an HTTP surface around it.

Charter: what Adobe would do belongs here, told from Adobe's published API description alone. Nothing of the
client is imported, because a stand-in that shares code with the client shares its mistakes. ``world`` keeps the
books and decides; ``tables`` say what a body may hold and ``bodies`` reads it into an order; ``app`` puts the parts
together that speak the wire protocol (``access``, ``storage``, ``submissions``, ``tracking``, ``downloads``,
``catalogue``); ``painting`` chooses the painter of a result; ``serve`` opens a port. The command line, the demo and
the tests call it; no other layer may know that it exists.
"""
