"""What the catalogue knows about an edition: the shape of its TOML files."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from asdcli.clips import GRAMMARS
from asdcli.vocabulary import Split, Subset

TruthFormat = Literal["flags", "list", "renamed", "correspondence"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _filled(pattern: str, *placeholders: str) -> str:
    """`pattern`, which `format` can fill with values of these placeholders; ValueError where it cannot."""
    try:
        pattern.format(**dict.fromkeys(placeholders, ""))
    except (KeyError, IndexError, ValueError, AttributeError):
        known = ", ".join("{" + name + "}" for name in placeholders)
        raise ValueError(f"{pattern!r} holds something other than {known}") from None
    return pattern


class SubsetFacts(_Strict):
    """One subset: its machine types, its sections (by machine type where they differ) and its size a section.

    `clips` counts the clips of each split of one section, where that number is the same for all machine types.
    """

    machine_types: tuple[str, ...]
    sections: tuple[str, ...] = ("00",)
    sections_of: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    clips: dict[Split, int] = Field(default_factory=dict)

    def sections_for(self, machine_type: str) -> tuple[str, ...]:
        return self.sections_of.get(machine_type, self.sections)


class Record(_Strict):
    """One Zenodo record: a zip per machine type, all named by one rule but for the `names` that break it."""

    record: str
    part: str
    subset: Subset
    splits: tuple[Split, ...]
    file: str
    names: dict[str, str] = Field(default_factory=dict)
    md5: dict[str, str] = Field(default_factory=dict)
    size: dict[str, int] = Field(default_factory=dict)

    @field_validator("file")
    @classmethod
    def _names_zips(cls, file: str) -> str:
        return _filled(file, "machine_type")

    def zip_name(self, machine_type: str) -> str:
        return self.names.get(machine_type, self.file.format(machine_type=machine_type))


class Truth(_Strict):
    """One kind of table that the organisers published after the challenge, and how to read it.

    Formats: `flags` rows of `file,0/1`; `list` a line per machine type, then `file,renamed[,0/1]`; `renamed` rows of
    `file,renamed[,renamed with attributes]`; `correspondence` rows of `name with attributes,distributed name`.
    Tables that give attributes are read only where the user asks for released attributes.
    """

    gives: Literal["condition", "domain", "attributes"]
    format: TruthFormat
    url: str
    subset: Subset = Subset.EVAL
    splits: tuple[Split, ...] = (Split.TEST,)
    machine_types: tuple[str, ...] = ()  # none: all of the subset

    @property
    def says_other_names(self) -> bool:
        """Whether its rows say under which other names, with labels in them, organisers take clips."""
        return self.format in ("renamed", "list")

    @field_validator("url")
    @classmethod
    def _names_tables(cls, url: str) -> str:
        return _filled(url, "machine_type", "section", "domain", "split")


class SubmissionFacts(_Strict):
    """What a challenge takes: the word for a section in file names, whether domains lie apart, whether it asks for
    decisions beside scores.
    """

    section: Literal["section", "id"] = "section"
    by_domain: bool = False
    decisions: bool = True


class Edition(_Strict):
    """One year's dataset and rules.

    `grammar` is an era of `clips.GRAMMARS`, `metric` a rule of `metrics.specs`.
    `clip_length_s` is the length in seconds to which training tiles or crops; None means that of the longest clip.
    `clip_lengths_s` are the lengths of the recordings themselves, by subset and machine type, where known.
    `names` are digests of the names of all clips of a machine type, by subset, where a whole listing was read.
    `channels` names the channels in their order in the file; of several, `default_channel` is read where none is asked
    for (None: one must be).
    `made_by` is the command that renders a dataset which nobody can fetch. `submission` is None where no challenge is.
    """

    name: str
    year: int | None = None
    title: str
    made_by: str | None = None
    grammar: str
    metric: str
    clip_length_s: float | None = None
    sample_rate: int = 16000
    channels: tuple[str, ...] = ("mono",)
    default_channel: str | None = None
    licence: str
    citation: tuple[str, ...] = ()
    url: str | None = None
    notes: tuple[str, ...] = ()
    dev: SubsetFacts
    eval: SubsetFacts | None = None
    records: tuple[Record, ...] = ()
    truth: tuple[Truth, ...] = ()
    submission: SubmissionFacts | None = None
    names: dict[Subset, dict[str, str]] = Field(default_factory=dict)
    clip_lengths_s: dict[Subset, dict[str, float]] = Field(default_factory=dict)

    @field_validator("grammar")
    @classmethod
    def _known_grammar(cls, era: str) -> str:
        if era not in GRAMMARS:
            raise ValueError(f"{era!r} is no grammar of file names; known: {', '.join(GRAMMARS)}")
        return era

    @model_validator(mode="after")
    def _default_is_a_channel(self) -> Edition:
        if self.default_channel is not None and self.default_channel not in self.channels:
            raise ValueError(f"default_channel {self.default_channel!r} is none of its channels")
        return self

    def part(self, subset: Subset) -> SubsetFacts | None:
        """The development or evaluation part, None where the edition has none."""
        return self.dev if subset == Subset.DEV else self.eval

    @property
    def subsets(self) -> tuple[Subset, ...]:
        return tuple(s for s in Subset if self.part(s) is not None)
