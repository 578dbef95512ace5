"""The meta file that goes with a submission: what it looks like at first, and what is still wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asdcli.errors import BadData
from asdcli.submission.meta_text import TODO, Facts, filled, parse, value_at

_TEMPLATE = """\
# Meta information of one submitted system, written by asd submit, which keeps what you fill in.
# Compare with the template of your year: organisers add fields. !!null where one does not apply.
submission:
  label: !!null
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
        department: !!null
        location: !!null{todo}

system:
  description:
    input_sampling_rate: !!null
    data_augmentation: !!null
    front_end_system: !!null
    acoustic_features: !!null{todo}
    machine_learning_method: !!null
    decision_making: !!null
    ensemble_method_subsystem_count: !!null
    external_data_usage: !!null
  complexity:
    # of the networks that a clip passes through; multiply-accumulates of convolutions and matrix products for one clip
    total_parameters: !!null{todo}
    MACS: !!null
  external_datasets: !!null
  source_code: !!null

results:
  development_dataset: !!null  # [%]
"""

_NEEDED = (
    "submission.label",
    "submission.name",
    "submission.abbreviation",
    "submission.authors",
    "system.description.acoustic_features",
    "system.description.machine_learning_method",
    "system.complexity.total_parameters",
)
_NEEDED_OF_AUTHORS = (
    "lastname",
    "firstname",
    "email",
    "affiliation.abbreviation",
    "affiliation.institute",
    "affiliation.location",
)
"""What must not be !!null. Of the other fields the templates say: !!null where it does not apply."""

_LONGEST_ABBREVIATION = 10


def new(facts: Facts) -> str:
    """The text of a meta file that nobody has touched yet."""
    return filled(_TEMPLATE.format(todo=TODO), facts, {}).text


def problems(text: str, label: str) -> Iterator[str]:
    """What is wrong with the meta file of the system `label`, a sentence each."""
    try:
        _, values = parse(text)
    except BadData as error:
        yield error.message
        return
    lacking = [place for place in _NEEDED if value_at(values, place) in (None, "", [])]
    authors = value_at(values, "submission.authors")
    for number, author in enumerate(authors if isinstance(authors, list) else (), start=1):
        where = f"submission.authors[{number}]" if len(authors) > 1 else "submission.authors"
        lacking += [f"{where}.{p}" for p in _NEEDED_OF_AUTHORS if value_at(author, p) in (None, "")]
    if lacking:
        yield f"not filled in: {', '.join(lacking)}"
    found, abbreviation = (value_at(values, f"submission.{name}") for name in ("label", "abbreviation"))
    if found is not None and found != label:
        yield f"submission.label is {_said(found)}, not {label!r}"
    if isinstance(abbreviation, str) and len(abbreviation) > _LONGEST_ABBREVIATION:
        yield f"submission.abbreviation {abbreviation!r} has more than {_LONGEST_ABBREVIATION} characters"
    if authors is not None and not isinstance(authors, list):
        yield "submission.authors is no list"
    elif authors and (n := sum(value_at(author, "corresponding") is True for author in authors)) != 1:
        yield f"submission.authors: {n} corresponding authors instead of one"
    parameters = value_at(values, "system.complexity.total_parameters")
    if parameters is not None and (isinstance(parameters, bool) or not isinstance(parameters, (int, float))):
        yield f"system.complexity.total_parameters is {_said(parameters)}, not a number"


def _said(value: Any) -> str:
    """A value in words; what is no single one only by its kind: with aliases a few lines hold billions of words."""
    return repr(value) if isinstance(value, (str, int, float)) else f"a {type(value).__name__}"
