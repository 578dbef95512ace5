"""`python -m tests.golden.write`: the inputs and all that comes of them, into files beside this script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.golden.cases import FOLDER, NUMBERS, texts
from tests.golden.inputs import inputs


def as_json(found: Mapping[str, Any]) -> str:
    """JSON with a line a name, so that a change shows where it is."""
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    (FOLDER / "inputs.json").write_text(as_json(inputs()))
    for name, case in NUMBERS.items():
        (FOLDER / name).write_text(as_json(case.make()))
    for path, text in texts().items():
        (FOLDER / path).parent.mkdir(exist_ok=True)
        (FOLDER / path).write_bytes(text)


if __name__ == "__main__":
    main()
