"""How every figure looks: type, lines, and the colours, dashes and marks of what is shown, which differ in grey too.

Colours are those of Okabe and Ito (2008), which people with any of the common colour blindnesses tell apart; what is
told apart by colour also differs in lightness, in its dashes or in its mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asdcli.vocabulary import Domain

INK, FAINT, BAND = "#000000", "#9a9a9a", "#dedede"
RAMP = "cividis"  # of numbers: from dark to light, also in grey and for the colour-blind
HATCH = "//////"  # what is an anomaly is hatched, or a cross

RC: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same letters everywhere
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6.0,
    "ytick.labelsize": 6.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.5,
    "axes.formatter.useoffset": False,  # an axis says its values, not what is to be added to them
    "figure.facecolor": "white",
    "savefig.dpi": 200,
    "text.parse_math": False,  # a $ in a name is a $
    "svg.fonttype": "none",  # text stays text: to be searched, and to be shown in any script
    "svg.hashsalt": "asdcli",
    "pdf.fonttype": 42,
}
"""matplotlib's settings where they are not its defaults; what a user's own matplotlibrc says takes no part."""


@dataclass(frozen=True)
class Stroke:
    """How what belongs together is drawn: one domain, one validation set."""

    color: str
    dashes: tuple[float, ...]
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        return {"color": self.color, "dashes": self.dashes} if self.dashes else {"color": self.color}

    @property
    def mark(self) -> dict[str, Any]:
        return {"marker": self.marker, "color": self.color, "mec": INK, "mew": 0.6}


STROKES: dict[str | None, Stroke] = {
    Domain.SOURCE.value: Stroke("#0072B2", (), "o"),
    Domain.TARGET.value: Stroke("#E69F00", (3.0, 1.2), "s"),
    None: Stroke("#000000", (5.0, 1.2, 1.2, 1.2), "D"),
}
"""By domain; None where it is not known."""

SERIES: tuple[Stroke, ...] = (
    Stroke("#000000", (), "o"),
    Stroke("#0072B2", (3.0, 1.2), "s"),
    Stroke("#E69F00", (1.0, 1.0), "^"),
    Stroke("#009E73", (5.0, 1.2, 1.2, 1.2), "v"),
    Stroke("#CC79A7", (6.0, 2.0), "D"),
)
"""For lines of anything, in this order; of more lines than these the first come again."""

VALIDATION: dict[str, Stroke] = {
    "train-all": Stroke("#E69F00", (), "o"),
    "train-random": Stroke("#D55E00", (3.0, 1.2), "^"),
    "train-cluster": Stroke("#009E73", (1.0, 1.0), "v"),
    "test-all": Stroke("#cccccc", (5.0, 1.2, 1.2, 1.2), "s"),
    "held-out": Stroke("#0072B2", (4.0, 1.0, 1.0, 1.0, 1.0, 1.0), "D"),
}
"""By validation set, near the colours that the paper has for its four."""
