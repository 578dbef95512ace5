"""The picture of an explanation: what was heard, how it differs from normal recordings, and what pulses.

A sibling of the figures of `asd plot`: `asd explain` gathers its numbers, of one clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from asdcli.metrics.differing import FLOOR_DB, Region
from asdcli.plots import Material, Numbers, Source, page
from asdcli.plots.style import FAINT, INK, STROKES
from asdcli.progress import SILENT, Progress
from asdcli.views.compared import Compared, Layer
from asdcli.vocabulary import Domain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        ("panel", pa.string()),
        *((name, pa.float64()) for name in ("from_s", "to_s", "low_hz", "high_hz", "value", "normal")),
        ("signature", pa.string()),
    ]
)
"""A row a cell of `level`, `z`, `occlusion` and `missed`; of `spectrum` a row a band, the median over time beside that
of the normal clips; of `envelope` a row a rate, from `low_hz` to `high_hz`, beside the median of the normal clips."""

_WIDE, _SIDE, _HIGH, _LOW = 5.0, 1.0, 1.45, 0.95
_TICKS_HZ = (0, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
_MOST_TICKS = 6
_SHARE = 0.99  # of the cells are told apart by their colours
_LEAST_Z, _MOST_Z = 2.0, 10.0
_QUIETER, _SAME, _LOUDER = "#08306b", "#9d9d9d", "#fff2a8"
_CLIP: dict[str, Any] = {"color": STROKES[Domain.SOURCE.value].color, "lw": 0.9}
_NORMAL: dict[str, Any] = {"color": INK, "lw": 0.7, "dashes": (2.0, 1.0)}
_TITLES = {
    "level": ("heard: log-mel level (dB)", "median (dB)"),
    "z": ("held against normal recordings: robust z-scores", "mean z"),
    "occlusion": ("score that goes when a piece is made as loud as normal", "sum"),
    "missed": ("missed by the autoencoder, above the median of normal recordings (dB)", "mean (dB)"),
}

_SCALE = (
    "Above: lighter is louder. Below it, in units of the normal recordings' spread by band (1.4826 times the median "
    f"absolute deviation, at least {FLOOR_DB:g} dB), grey is normal, lighter louder, darker quieter; colours end where "
    "one cell in a hundred lies beyond. What is boxed is clear."
)
_NO_FILES = Material({})

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ExplanationPlot:
    """Level, z-scores, what a network or an autoencoder makes of it, and the envelope spectrum, one below the other.

    Attributes:
        clip_id: of the clip.
        found: it beside normal ones.
        layers: more of it, by name: `occlusion`, `missed`.
        caption: sentences below.
        signature: how its score was made.
    """

    reads: ClassVar[tuple[Source, ...]] = ()

    clip_id: str
    found: Compared
    layers: Mapping[str, Layer]
    caption: Sequence[str]
    signature: str

    def numbers(self, material: Material = _NO_FILES, progress: Progress = SILENT) -> Numbers:
        """Rows as `SCHEMA` says; of `material` nothing is read, and there is nothing to tell."""
        del material, progress
        found, signature = self.found, self.signature
        everything = {"level": found.levels, "z": found.z, **self.layers}
        tables = [_cells(name, layer, signature) for name, layer in everything.items()]
        tables += [_spectrum(found, signature), _envelope(found, signature)]
        facts: list[dict[str, Any]] = [
            {"panel": name, **_box(layer, region), "db": region.db}
            for name, layer in everything.items()
            for region in layer.regions
        ]
        rates = [pulses.rate_hz for pulses in found.pulsing.found]
        facts.append({"panel": "envelope", "octave_hz": found.envelope_axes.octaves[found.octave], "rates_hz": rates})
        return Numbers(pa.concat_tables(tables), self.clip_id, [*self.caption, _SCALE], [signature], facts)

    def draw(self, numbers: Numbers) -> Figure:
        """The picture of these numbers; called with the style in force."""
        panels = _by_panel(numbers.table)
        names = [name for name in _TITLES if name in panels]
        figure, places = page.strips(
            [*(_HIGH for _ in names), _LOW],
            width=_WIDE,
            side=_SIDE,
            caption=numbers.caption,
            signatures=numbers.signatures,
        )
        for (wide, narrow), name in zip(places, names, strict=False):
            layer = _layer(panels[name])
            _draw_layer(wide, name, layer, [one for one in numbers.facts if one["panel"] == name])
            _draw_side(narrow, name, layer, panels["spectrum"])
        _draw_envelope(*places[-1], panels["envelope"], numbers.facts[-1])
        title = page.shortened(numbers.title, _WIDE + _SIDE, 8.0)
        places[0][0].set_title(f"{title}\n{_TITLES['level'][0]}", loc="left", pad=3)
        return figure


def _cells(name: str, layer: Layer, signature: str) -> pa.Table:
    n_times, n_bands = layer.values.shape
    columns = {
        "from_s": np.repeat(layer.times_s[:n_times], n_bands),
        "to_s": np.repeat(layer.times_s[1 : n_times + 1], n_bands),
        "low_hz": np.tile(layer.edges_hz[:-1], n_times),
        "high_hz": np.tile(layer.edges_hz[1:], n_times),
        "value": layer.values.ravel(),
    }
    return _table(name, columns, signature)


def _spectrum(found: Compared, signature: str) -> pa.Table:
    edges = found.levels.edges_hz
    columns = {
        "low_hz": edges[:-1],
        "high_hz": edges[1:],
        "value": np.median(found.levels.values, axis=0),
        "normal": found.differing.median,
    }
    return _table("spectrum", columns, signature)


def _envelope(found: Compared, signature: str) -> pa.Table:
    rates = found.envelope_axes.rates_hz
    half = (rates[1] - rates[0]) / 2 if len(rates) > 1 else 0.5
    columns = {
        "low_hz": rates - half,
        "high_hz": rates + half,
        "value": found.envelope[found.octave],
        "normal": found.pulsing.normal[found.octave],
    }
    return _table("envelope", columns, signature)


def _table(panel: str, columns: Mapping[str, Array], signature: str) -> pa.Table:
    n = len(columns["value"])
    nothing = np.full(n, np.nan)
    arrays = [
        pa.repeat(pa.scalar(panel), n),
        *(pa.array(columns.get(name, nothing), from_pandas=True) for name in SCHEMA.names[1:-1]),
        pa.repeat(pa.scalar(signature), n),
    ]
    return pa.table(arrays, schema=SCHEMA)


def _box(layer: Layer, region: Region) -> dict[str, float]:
    return {
        "low_hz": float(layer.edges_hz[region.low_band]),
        "high_hz": float(layer.edges_hz[region.high_band]),
        "from_s": float(layer.times_s[region.first]),
        "to_s": float(layer.times_s[region.last]),
    }


def _by_panel(table: pa.Table) -> dict[str, dict[str, Array]]:
    names = np.array(table["panel"].to_pylist())
    columns = {name: table[name].to_numpy() for name in SCHEMA.names[1:-1]}
    return {name: {c: values[names == name] for c, values in columns.items()} for name in dict.fromkeys(names.tolist())}


def _layer(cells: Mapping[str, Array]) -> Layer:
    n_bands = int((cells["from_s"] == cells["from_s"][0]).sum())
    times = np.append(cells["from_s"][::n_bands], cells["to_s"][-1])
    edges = np.append(cells["low_hz"][:n_bands], cells["high_hz"][n_bands - 1])
    return Layer(cells["value"].reshape(-1, n_bands), times, edges)


def _draw_layer(ax: Axes, name: str, layer: Layer, boxes: Sequence[Mapping[str, Any]]) -> None:
    low, high, colours = _colours(name, layer.values)
    n_bands = layer.values.shape[1]
    extent = (float(layer.times_s[0]), float(layer.times_s[-1]), 0.0, float(n_bands))
    image = ax.imshow(
        layer.values.T, origin="lower", aspect="auto", extent=extent, cmap=colours, vmin=low, vmax=high,
        interpolation="nearest",
    )  # fmt: skip
    for box in boxes:
        bottom, top = (
            float(np.interp(box[edge], layer.edges_hz, np.arange(n_bands + 1))) for edge in ("low_hz", "high_hz")
        )
        x = [box["from_s"], box["to_s"], box["to_s"], box["from_s"], box["from_s"]]
        y = [bottom, bottom, top, top, bottom]
        for color, width in (("white", 2.2), (INK, 0.9)):
            ax.plot(x, y, color=color, lw=width, clip_on=False)
        ax.text(
            box["from_s"], min(top + 0.01 * n_bands, 0.93 * n_bands), f" {box['db']:+.0f} dB", size=6.5, weight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )  # fmt: skip
    _hz_axis(ax, layer)
    ax.set_xlim(extent[:2])
    ax.set_xlabel("time (s)", labelpad=1)
    ax.set_title(_TITLES[name][0], loc="left", pad=3)
    place = ax.inset_axes((1.005, 0.0, 0.012, 1.0))
    bar = ax.figure.colorbar(image, cax=place, ticks=_ticks(low, high))
    bar.ax.tick_params(labelsize=5, length=1.5, pad=1)
    bar.outline.set_linewidth(0.4)


def _colours(name: str, values: Array) -> tuple[float, float, str | Colormap]:
    """From where to where the colours go, and which; all of them become lighter, in grey too."""
    if name == "level":
        top = float(values.max())
        return max(float(np.quantile(values, 0.02)), top - 90.0), top, "viridis"
    from matplotlib.colors import LinearSegmentedColormap

    signed = LinearSegmentedColormap.from_list("signed", [_QUIETER, _SAME, _LOUDER])
    most = float(np.abs(values).max() if name == "occlusion" else np.quantile(np.abs(values), _SHARE)) or 1.0
    if name == "z":
        most = float(np.clip(most, _LEAST_Z, _MOST_Z))
    return -most, most, signed


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, seven at most."""
    step = 10.0 ** np.floor(np.log10(high - low))
    step *= next(factor for factor in (0.1, 0.2, 0.5, 1.0, 2.0) if (high - low) / (step * factor) <= _MOST_TICKS)
    return [float(f"{i * step:.6g}") for i in range(int(np.ceil(low / step)), int(high / step) + 1)]


def _hz_axis(ax: Axes, layer: Layer, *, labels: bool = True) -> None:
    n = layer.values.shape[1]
    ticks = [hz for hz in _TICKS_HZ if layer.edges_hz[0] <= max(hz, layer.edges_hz[0]) and hz <= layer.edges_hz[-1]]
    at = [float(np.interp(hz, layer.edges_hz, np.arange(n + 1))) for hz in ticks]
    kept = [i for i, y in enumerate(at) if i == 0 or y - at[i - 1] > 0.03 * n or ticks[i] >= 500]
    names = [f"{ticks[i] // 1000}k" if ticks[i] >= 1000 else f"{ticks[i]}" for i in kept]
    ax.set_yticks([at[i] for i in kept], names if labels else [""] * len(kept))
    ax.set_ylim(0, n)
    if labels:
        ax.set_ylabel("frequency (Hz)", labelpad=2)


def _draw_side(ax: Axes, name: str, layer: Layer, spectrum: Mapping[str, Array]) -> None:
    """Beside a layer what it comes to by band."""
    n = layer.values.shape[1]
    bands = np.arange(n) + 0.5
    if name == "level":
        ax.plot(spectrum["normal"], bands, zorder=2, **_NORMAL)
        ax.plot(spectrum["value"], bands, zorder=3, **_CLIP)
    else:
        total = layer.values.sum(axis=0) if name == "occlusion" else layer.values.mean(axis=0)
        edges = np.repeat(np.arange(n + 1), 2)[1:-1]
        ax.axvline(0, color=INK, lw=0.6)
        ax.fill_betweenx(edges, 0, np.repeat(total, 2), color=_CLIP["color"], lw=0)
    _hz_axis(ax, layer, labels=False)
    ax.grid(True, axis="x", color=FAINT, lw=0.25, alpha=0.6)
    ax.tick_params(axis="x", labelsize=5)
    ax.set_title(_TITLES[name][1], loc="left", pad=3, size=6.5)


def _draw_envelope(ax: Axes, side: Axes, found: Mapping[str, Array], fact: Mapping[str, Any]) -> None:
    rates = (found["low_hz"] + found["high_hz"]) / 2
    own = np.isfinite(found["value"]) & (rates > 0)
    ax.plot(rates[own], found["normal"][own], zorder=2, **_NORMAL)
    ax.plot(rates[own], found["value"][own], zorder=3, **_CLIP)
    top = float(rates[own][-1]) if own.any() else 1.0
    for rate in fact["rates_hz"]:
        for n in _harmonics(rate, top):
            at = float(np.interp(n * rate, rates[own], found["value"][own]))
            ax.plot(
                n * rate,
                at,
                marker="v",
                ms=4.5 if n == 1 else 3,
                color=STROKES[Domain.TARGET.value].color,
                mec=INK,
                mew=0.5,
                zorder=4,
            )
        ax.text(rate, 1.0, f" {rate:.1f} Hz", transform=ax.get_xaxis_transform(), size=6.5, weight="bold", va="top")
        ax.axvline(rate, color=INK, lw=0.5, ls=(0, (1, 1.5)), zorder=1)
    low, high = fact["octave_hz"]
    ax.set_xlim(0, top)
    ax.set_xlabel("pulses a second (Hz)", labelpad=1)
    ax.set_ylabel("depth (dB)", labelpad=2)
    ax.set_title(f"envelope spectrum of {low:,.0f} to {high:,.0f} Hz", loc="left", pad=3)
    ax.grid(True, color=FAINT, lw=0.25, alpha=0.6)
    side.axis("off")
    for y, line, name in ((0.8, _CLIP, "this clip"), (0.55, _NORMAL, "median of\nnormal clips")):
        side.plot([0, 0.25], [y, y], transform=side.transAxes, **line)
        side.text(0.32, y, name, transform=side.transAxes, size=6, va="center")


def _harmonics(rate: float, top: float) -> Iterator[int]:
    yield from range(1, min(int(top / rate), 8) + 1)
