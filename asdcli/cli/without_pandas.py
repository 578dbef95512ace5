"""pyarrow looks for pandas when it makes its first array, and imports it where it is installed: 0.2 s for nothing.

No command of asd has use for it. Who asks pyarrow for a frame gets one all the same: it then looks again.
"""

from __future__ import annotations

import sys
from typing import Any


class _Nowhere:
    """A finder by which there is no pandas."""

    @staticmethod
    def find_spec(name: str, *_: Any) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def look_in_vain() -> None:
    """Have pyarrow look for pandas now and find none; nothing else notices."""
    if "pandas" in sys.modules:
        return
    import pyarrow

    finders: list[Any] = sys.meta_path
    finders.insert(0, _Nowhere)
    try:
        pyarrow.array([0])
    finally:
        finders.remove(_Nowhere)
