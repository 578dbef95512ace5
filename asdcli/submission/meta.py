"""The meta file that goes with a submission: what asd knows is filled in, what only its authors know is marked.

Written by hand rather than with a YAML library: every value is a JSON scalar, which YAML reads as it is, and the
comments that tell the authors what to do would not survive a dump.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TODO = "  # to fill in"

_HEAD = """\
# Meta information of one submitted system, written by asd submit.
# Fill in what is marked, and compare with the template of your year: organisers add fields.
submission:
  label: {label}
  name: !!null{todo}
  abbreviation: !!null{todo} (at most 10 characters)
  authors:
    - lastname: !!null{todo}
      firstname: !!null{todo}
      email: !!null{todo}
      corresponding: true
      affiliation:
        abbreviation: !!null{todo}
        institute: !!null{todo}
        department: !!null{todo}
        location: !!null{todo}

system:
  description:
"""
_TAIL = """\
  complexity:
    total_parameters: !!null{todo}
  external_datasets: !!null
  source_code: !!null

results:
  development_dataset:{empty}
"""


def meta_yaml(label: str, description: Mapping[str, Any], development: Mapping[str, Mapping[str, float]]) -> str:
    """The text of `<label>.meta.yaml`.

    Args:
        label: `<Lastname>_<Institute>_task2_<n>`.
        description: fields of the system's description; None marks one to be filled in.
        development: machine type -> term -> mean area on the development set in [0, 1]; written in percent.
    """
    lines = [_HEAD.format(label=json.dumps(label), todo=TODO)]
    lines += [f"    {name}: {_scalar(value)}\n" for name, value in description.items()]
    lines.append(_TAIL.format(todo=TODO, empty="  # [%]" if development else f" !!null{TODO}"))
    for machine_type, terms in development.items():
        lines.append(f"    {json.dumps(machine_type)}:\n")
        lines += [f"      {term}: {100 * value:.6g}\n" for term, value in terms.items()]
    return "".join(lines)


def _scalar(value: Any) -> str:
    return f"!!null{TODO}" if value is None else json.dumps(value, ensure_ascii=False)
