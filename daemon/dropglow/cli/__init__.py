"""The command line: one file for each command; parse, call, render.

Charter: turns words into calls and answers into text. Heavy imports stand
inside the commands, so that a quick one stays quick. Nothing imports it.
"""
