"""Stored inputs and what comes of them, as this package computed it when somebody last looked and agreed.

`python -m tests.golden.write` writes all files beside it; `test_golden.py` says which of them is no longer what would
be written now. A change there is meant, or it is a fault: a commit that writes them anew says why.
"""
