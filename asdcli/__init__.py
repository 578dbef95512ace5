"""Anomalous sound detection from the command line, and from Python.

`asdcli.open("runs/x")` gives a run whose methods are the stages (`.extract_features()`, `.train()`, `.embed()`,
`.score("nn")`, `.evaluate()`) and readers of what they made (`.scores("nn")`, `.results()`); `asdcli.download` and
`asdcli.index` bring a dataset. An example stands in `asdcli.pipeline.notebook`.

Importing this is cheap: what is heavy is loaded by the step that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asdcli.pipeline.notebook import Run as Run
    from asdcli.pipeline.notebook import download as download
    from asdcli.pipeline.notebook import index as index
    from asdcli.pipeline.notebook import open as open

__version__ = "0.1.0"

_OFFERED = ("Run", "download", "index", "open")
"""What `asdcli.pipeline.notebook` gives when it is asked for."""


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module 'asdcli' has no attribute {name!r}")
    from asdcli.pipeline import notebook

    return getattr(notebook, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_OFFERED])
