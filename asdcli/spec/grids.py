"""Several spellings in one: `varmin:k=1|2,val=train-all|held-out` stands for four methods."""

from __future__ import annotations

import itertools

from asdcli.errors import UsageError
from asdcli.spec.spelling import join, parse

EITHER = "|"
"""Between the values of a parameter that are all meant."""


def written_out(spelling: str) -> list[str]:
    """The spellings that one stands for, each once; those of the last parameter change first.

    A spelling without alternatives is itself, as it was typed.

    Raises:
        UsageError: a part is not `key=value`, or between two `|` there is nothing.
    """
    if EITHER not in spelling:
        return [spelling]
    name, params = parse(spelling)
    values = {key: [one.strip() for one in text.split(EITHER)] for key, text in params.items()}
    for key, of_key in values.items():
        if "" in of_key:
            raise UsageError(
                f"cannot read {key}={params[key]!r} in {spelling!r}", f"write {key}=ONE{EITHER}OTHER, in quotes"
            )
    found = (join(name, dict(zip(values, chosen, strict=True))) for chosen in itertools.product(*values.values()))
    return list(dict.fromkeys(found))
