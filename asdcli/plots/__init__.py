"""Figures: what they are called, and what a figure is.

A newcomer is one file and one line in `PLOTS`. It gathers its numbers first, and draws those and nothing else, so that
the table behind a figure says all that is seen in it. How figures look is in `style`, where things lie on their page in
`page`, and how they become files, the same bytes each time, in `drawing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from asdcli.errors import UsageError
from asdcli.progress import Progress
from asdcli.spec import Registry
from asdcli.spec.values import convert

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

    from asdcli.views.across_runs import RunResults

PLOTS = Registry(
    "figure",
    {
        "p-values": "asdcli.plots.p_values:PValues",
        "distributions": "asdcli.plots.distributions:Distributions",
        "alpha": "asdcli.plots.alpha:Alpha",
        "roc": "asdcli.plots.roc:Roc",
        "scale": "asdcli.plots.scale:Scale",
        "map": "asdcli.plots.map:Map",
        "curves": "asdcli.plots.curves:Curves",
        "fractions": "asdcli.plots.fractions:Fractions",
        "neighbours": "asdcli.plots.neighbours:SmoothingByK",
        "spectrogram": "asdcli.plots.spectrogram:Spectrogram",
        "seeds": "asdcli.plots.seeds:Seeds",
        "drift": "asdcli.plots.drift:Drifting",
    },
    group="asdcli.plots",
    needs=("reads", "numbers", "draw"),
)
Format = Literal["svg", "png", "pdf"]
Source = Literal[
    "clips", "embeddings", "scores", "thresholds", "model", "autoencoder", "tuning", "fractions", "runs", "history"
]
"""What of a run figures read; `scores`, `model` and `autoencoder` are folders. `runs`: what many runs have measured."""


@dataclass(frozen=True)
class Material:
    """What a figure is drawn from.

    Attributes:
        files: where the sources that it reads lie; clips, thresholds and models are missing where there are none.
        methods: the only ones that are wanted, by any name that `views.named` knows; none means all.
        stale: file -> what it was made of and has changed since.
        runs: what was measured in many runs, of a figure of those.
        stand_in: the data was rendered, not recorded, which the caption says.
    """

    files: Mapping[Source, Path]
    methods: Sequence[str] = ()
    stale: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    runs: Sequence[RunResults] = ()
    stand_in: bool = False


@dataclass(frozen=True)
class Numbers:
    """What a figure shows.

    Attributes:
        table: a row a mark, point or step, with the column `signature`.
        title: what the figure is about.
        caption: sentences below it.
        signatures: how the numbers were made, a line a method.
        facts: what people read off it, JSON-ready.
    """

    table: pa.Table
    title: str
    caption: Sequence[str]
    signatures: Sequence[str]
    facts: Sequence[Mapping[str, Any]]


class Plot(Protocol):
    """A figure: a frozen dataclass, spelled by its parameters."""

    @property
    def reads(self) -> tuple[Source, ...]:
        """Its sources; of most figures a `ClassVar`."""
        ...

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """What is to be drawn. Raises an AsdError where there is nothing."""
        ...

    def draw(self, numbers: Numbers) -> Figure:
        """The figure of these numbers; called with the style in force."""
        ...


def format_of(output: Path | None, asked: Format | None) -> Format:
    """The format asked for, which is that of the suffix where both are said.

    Raises:
        UsageError: they are not the same, or no format at all.
    """
    if output is None:
        return convert(asked or "svg", Format, what="format")
    suffix = output.suffix.removeprefix(".").lower()
    if asked is None:
        return convert(suffix, Format, what="format of a figure")
    if suffix and suffix != asked:
        raise UsageError(f"{output} is not called as a {asked}", f"call it {output.with_suffix('.' + asked)}")
    return convert(asked, Format, what="format")
