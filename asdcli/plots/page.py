"""Where things lie on the page of a figure: panels in blocks under headings, a caption below, all measured in inches.

Nothing is left to a solver: the same panels have the same places in every format and with every version of matplotlib.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asdcli.plots.style import INK
from asdcli.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_COLUMNS, _OF_SEVERAL = 4, 8  # of a page with one block, and with several
_SIDES = {1: 3.2, 2: 2.5, 3: 2.0, 4: 1.75}  # of a panel, by columns
_SMALLEST = 1.5
_LEFT, _RIGHT, _GAP, _BELOW, _EDGE = 0.6, 0.2, 0.3, 0.45, 0.12
_CAPTION_PT, _SIGNATURE_PT, _HEADING_PT = 6.5, 5.0, 8.0
_LINE_PT, _TITLE_PT, _TITLE_IN, _LINE_IN, _SAMPLE_IN = 5.5, 7.5, 0.17, 0.11, 0.2  # of what stands above a panel
_KEY_PT, _KEY_IN = 6.5, 0.15
_LEADING = 1.35  # lines of text, in their size
_LETTER, _BOLD, _MONO = 0.55, 0.68, 0.602  # a letter's width, in its size: an average one's, and every one's


MOST_PANELS = 64
"""More are not drawn on one page."""


@dataclass(frozen=True)
class Panel:
    """An empty panel, `side` inches wide; whether it begins its row, and has none below it in its block."""

    axes: Axes
    side: float
    tall: float
    first: bool
    last: bool


@dataclass(frozen=True)
class Shape:
    """Of the panels of a page.

    Attributes:
        columns: most of a row; None: as many as there is room for.
        ratio: height over width.
        left, gap, right: inches left of the first panel of a row, between two, and right of the last.
        side: inches of width; None: as the number of columns has it.
    """

    columns: int | None = None
    ratio: float = 1.0
    left: float = _LEFT
    gap: float = _GAP
    right: float = _RIGHT
    side: float | None = None


SQUARE = Shape()


@dataclass(frozen=True)
class Sample:
    """An entry of a figure's key: a name, and the line or mark, or else the patch, that it goes with."""

    name: str
    line: Mapping[str, Any] = field(default_factory=dict)
    patch: Mapping[str, Any] = field(default_factory=dict)


def laid_out(
    blocks: Mapping[str, int],
    *,
    above: float,
    caption: Sequence[str],
    signatures: Sequence[str],
    shape: Shape = SQUARE,
    key: Sequence[Sample] = (),
) -> tuple[Figure, list[list[Panel]]]:
    """A figure with empty panels.

    Args:
        blocks: heading -> number of panels under it, at least one.
        above: inches over every panel for what it says of itself.
        caption: sentences below the panels.
        signatures: lines in small type below the caption.
        shape: of the panels; square ones by default.
        key: what stands for what, at the top of the page.

    Returns:
        the figure, and the panels of each block.
    """
    from matplotlib.figure import Figure

    columns = min(_MOST_COLUMNS if len(blocks) == 1 else _OF_SEVERAL, max(blocks.values()))
    columns = columns if shape.columns is None else min(shape.columns, max(blocks.values()))
    side = shape.side or _SIDES.get(columns, _SMALLEST)
    tall = side * shape.ratio
    width = shape.left + columns * side + (columns - 1) * shape.gap + shape.right
    headings = [fitted(name, width - 2 * _EDGE, _HEADING_PT, letter=_BOLD) if name else [] for name in blocks]
    told = [line for sentence in caption for line in fitted(sentence, width - 2 * _EDGE, _CAPTION_PT)]
    signed = [line for one in signatures for line in _by_fields(one, width - 2 * _EDGE)]
    keys = _key_rows(key, width - 2 * _EDGE)
    rows = [-(-n // columns) for n in blocks.values()]
    row = above + tall + _BELOW
    height = sum(_tall(len(h), _HEADING_PT) + 2 * _EDGE + n * row for h, n in zip(headings, rows, strict=True))
    height += _tall(len(told), _CAPTION_PT) + _tall(len(signed), _SIGNATURE_PT) + 3 * _EDGE
    height += _KEY_IN * len(keys)
    figure = Figure(figsize=(width, height))
    top = _draw_key(figure, keys, height - _EDGE)
    panels: list[list[Panel]] = []
    for lines, n in zip(headings, blocks.values(), strict=True):
        top = _write(figure, lines, top, _HEADING_PT, weight="bold") - _EDGE
        panels.append([])
        for i in range(n):
            x, y = shape.left + i % columns * (side + shape.gap), top - above - tall - i // columns * row
            axes = figure.add_axes((x / width, y / height, side / width, tall / height))
            panels[-1].append(Panel(axes, side, tall, i % columns == 0, i + columns >= n))
        top -= -(-n // columns) * row + _EDGE
    top = _write(figure, told, top, _CAPTION_PT) - _EDGE
    _write(figure, signed, top, _SIGNATURE_PT, family="DejaVu Sans Mono")
    return figure, panels


def above(lines: int) -> float:
    """Inches over a panel for its title and so many lines."""
    return _TITLE_IN + lines * _LINE_IN + 0.05


def write_above(
    panel: Panel, title: str, lines: Sequence[tuple[str, Mapping[str, Any] | None]] = (), *, over: str | None = None
) -> None:
    """Write over a panel what it shows.

    Args:
        panel: the panel.
        title: its name, in bold, shortened where it is too long.
        lines: texts below it, each with the line that it goes with; None: with none.
        over: a text between title and lines.
    """
    ax = panel.axes
    for i, (text, line) in enumerate(lines):
        y = 1 + (0.06 + (len(lines) - 1 - i) * _LINE_IN) / panel.tall
        if line is not None:
            ends = [_SAMPLE_IN / 2 / panel.side] if line.get("ls") == "none" else [0, _SAMPLE_IN / panel.side]
            ax.plot(ends, [y + 0.03 / panel.tall] * len(ends), transform=ax.transAxes, clip_on=False, **line)
        x = 0.0 if line is None else (_SAMPLE_IN + 0.05) / panel.side
        ax.text(x, y, text, transform=ax.transAxes, size=_LINE_PT)
    y = 1 + (0.06 + len(lines) * _LINE_IN) / panel.tall
    if over is not None:
        ax.text(0, y, over, transform=ax.transAxes, size=_LINE_PT)
        y += _LINE_IN / panel.tall
    name = shortened(title, panel.side, _TITLE_PT)
    ax.text(0, y + 0.04 / panel.tall, name, transform=ax.transAxes, size=_TITLE_PT, weight="bold")


def _key_rows(key: Sequence[Sample], width: float) -> list[list[tuple[float, Sample]]]:
    """The entries row by row, each with the inches from the left at which it begins."""
    rows: list[list[tuple[float, Sample]]] = []
    x = width
    for one in key:
        needed = 0.45 + len(one.name) * _KEY_PT * _LETTER / 72
        if x + needed > width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, one))
        x += needed
    return rows


def _draw_key(figure: Figure, rows: Sequence[Sequence[tuple[float, Sample]]], top: float) -> float:
    """Draw the key downwards from `top` inches; returns where it ends."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    width, height = figure.get_size_inches()
    for row in rows:
        top -= _KEY_IN
        for x, one in row:
            left, y = (_EDGE + x) / width, (top + 0.03) / height
            if one.patch:
                box = (0.22 / width, 0.08 / height)
                figure.add_artist(Rectangle((left, y - box[1] / 2), *box, transform=figure.transFigure, **one.patch))
            else:
                at = [left, left + 0.22 / width]
                if one.line.get("ls") == "none":
                    at = [left + 0.11 / width]
                figure.add_artist(Line2D(at, [y] * len(at), transform=figure.transFigure, **one.line))
            figure.text(left + 0.28 / width, top / height, visible(one.name, newlines=False), size=_KEY_PT, color=INK)
    return top


def fitted(text: str, width: float, size: float, *, letter: float = _LETTER) -> list[str]:
    """The lines of a text that is to fit into so many inches at so many points."""
    letters = max(8, int(width * 72 / (size * letter)))
    return textwrap.wrap(visible(text, newlines=False), letters, break_on_hyphens=False) or [""]


def _by_fields(signature: str, width: float) -> list[str]:
    """The lines of a signature, broken between fields where that will do."""
    lines = fitted(signature.replace("|", "| "), width, _SIGNATURE_PT, letter=_MONO)
    return [line.replace("| ", "|") for line in lines]


def shortened(text: str, width: float, size: float) -> str:
    """A bold text on one line of so many inches at so many points: its beginning and its end."""
    text = visible(text, newlines=False)
    letters = max(8, int(width * 72 / (size * _BOLD)))
    half = (letters - 1) // 2
    return text if len(text) <= letters else f"{text[: letters - 1 - half]}…{text[-half:]}"


def _tall(lines: int, size: float) -> float:
    return lines * size * _LEADING / 72


def _write(figure: Figure, lines: Sequence[str], top: float, size: float, **how: Any) -> float:
    """Write lines downwards from `top` inches; returns where they end."""
    width, height = figure.get_size_inches()
    for line in lines:
        top -= _tall(1, size)
        figure.text(_EDGE / width, top / height, line, size=size, color=INK, va="baseline", **how)
    return top


def strips(
    heights: Sequence[float], *, width: float, side: float, caption: Sequence[str], signatures: Sequence[str]
) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """A figure with wide, empty panels below each other, a narrow one to the right of each.

    Args:
        heights: of the panels, in inches.
        width: of the wide ones.
        side: of the narrow ones.
        caption: sentences below the panels.
        signatures: lines in small type below the caption.

    Returns:
        the figure, and the two panels of each height.
    """
    from matplotlib.figure import Figure

    above, gap, between = 0.22, 0.42, 0.5
    whole = _LEFT + width + between + side + _RIGHT
    told = [line for sentence in caption for line in fitted(sentence, whole - 2 * _EDGE, _CAPTION_PT)]
    signed = [line for one in signatures for line in _by_fields(one, whole - 2 * _EDGE)]
    height = sum(above + h + gap for h in heights)
    height += _tall(len(told), _CAPTION_PT) + _tall(len(signed), _SIGNATURE_PT) + 4 * _EDGE
    figure = Figure(figsize=(whole, height))
    top, panels = height - _EDGE, []
    for h in heights:
        y = (top - above - h) / height
        places = ((_LEFT, width), (_LEFT + width + between, side))
        wide, narrow = (figure.add_axes((x / whole, y, w / whole, h / height)) for x, w in places)
        panels.append((wide, narrow))
        top -= above + h + gap
    top = _write(figure, told, top, _CAPTION_PT) - _EDGE
    _write(figure, signed, top, _SIGNATURE_PT, family="DejaVu Sans Mono")
    return figure, panels
