"""What a run remembers of every check, in the SQLite file `history.db`: recordings, and what operators said of them.

It is no artifact: nothing is made of it, so nothing grows stale by it, and nothing that was learned is changed by it.
`database` opens the file and refuses in words what cannot be taken, `checks` keeps and finds checks, and `answers` what
was confirmed of recordings. Recordings go by the digest of their bytes: the same file under another name is the same.
"""
