"""Put Dropglow onto a machine as a service, and take it away again.

What belongs here: what is put where (``wanted``), what is to be done about it (``plan``), looking at the machine
(``machine``), doing it (``doing``) and remembering what was done (``record``). Called by the commands ``install`` and
``uninstall`` alone; nothing of the running service is known here.
"""
