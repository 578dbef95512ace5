"""The steps: each stage on a run, one file a stage, called as its command: which path goes where, and in what order.

A command parses, takes one step and reports; `asd run`, a notebook and a sweep's worker take the same steps. A step
takes a `Workspace` and the stage's own options, knows which files of the run are read, and returns what the stage
returns. It raises what the stage raises.
"""
