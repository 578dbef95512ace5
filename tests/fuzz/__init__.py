"""Damaged and forged files against the commands that read them: refused in words, or the result that was there before.

`test_fuzz.py` is the short form of the suite, `make fuzz` the long one.
"""
