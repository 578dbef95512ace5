"""Where things lie on the page of a figure: panels in blocks under headings, a caption below, all measured in inches.

Nothing is left to a solver: the same panels have the same places in every format and with every version of matplotlib.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
_LEADING = 1.35  # lines of text, in their size
_LETTER, _BOLD, _MONO = 0.55, 0.68, 0.602  # a letter's width, in its size: an average one's, and every one's


@dataclass(frozen=True)
class Panel:
    """An empty panel, so many inches wide and high; whether it begins its row, and has none below it in its block."""

    axes: Axes
    side: float
    first: bool
    last: bool


def laid_out(
    blocks: Mapping[str, int], *, above: float, caption: Sequence[str], signatures: Sequence[str]
) -> tuple[Figure, list[list[Panel]]]:
    """A figure with square, empty panels.

    Args:
        blocks: heading -> number of panels under it, at least one.
        above: inches over every panel for what it says of itself.
        caption: sentences below the panels.
        signatures: lines in small type below the caption.

    Returns:
        the figure, and the panels of each block.
    """
    from matplotlib.figure import Figure

    columns = min(_MOST_COLUMNS if len(blocks) == 1 else _OF_SEVERAL, max(blocks.values()))
    side = _SIDES.get(columns, _SMALLEST)
    width = _LEFT + columns * side + (columns - 1) * _GAP + _RIGHT
    headings = [fitted(name, width - 2 * _EDGE, _HEADING_PT, letter=_BOLD) for name in blocks]
    told = [line for sentence in caption for line in fitted(sentence, width - 2 * _EDGE, _CAPTION_PT)]
    signed = [line for one in signatures for line in _by_fields(one, width - 2 * _EDGE)]
    rows = [-(-n // columns) for n in blocks.values()]
    row = above + side + _BELOW
    height = sum(_tall(len(h), _HEADING_PT) + 2 * _EDGE + n * row for h, n in zip(headings, rows, strict=True))
    height += _tall(len(told), _CAPTION_PT) + _tall(len(signed), _SIGNATURE_PT) + 3 * _EDGE
    figure = Figure(figsize=(width, height))
    top = height - _EDGE
    panels: list[list[Panel]] = []
    for lines, n in zip(headings, blocks.values(), strict=True):
        top = _write(figure, lines, top, _HEADING_PT, weight="bold") - _EDGE
        panels.append([])
        for i in range(n):
            x, y = _LEFT + i % columns * (side + _GAP), top - above - side - i // columns * row
            axes = figure.add_axes((x / width, y / height, side / width, side / height))
            panels[-1].append(Panel(axes, side, i % columns == 0, i + columns >= n))
        top -= -(-n // columns) * row + _EDGE
    top = _write(figure, told, top, _CAPTION_PT) - _EDGE
    _write(figure, signed, top, _SIGNATURE_PT, family="DejaVu Sans Mono")
    return figure, panels


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
