"""Pictures of sounds: levels and differences by time and frequency, as PNG files of few colours."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

RANGE_DB = 70.0
"""What is shown of levels, down from the loudest."""
BEYOND = 6.0
"""Robust z-scores that are as far off as can be told by colour."""
_WIDEST = 160  # columns

# cividis (Nuñez, Anderton and Renslow, 2018) at nine places: the same in grey and for the colour-blind
_LEVELS = ("00204d", "00336f", "39486b", "575c6d", "707173", "8a8779", "a69d75", "c4b56c", "ffea46")
_DIFFERENCES = ("08306b", "2171b5", "6baed6", "c6dbef", "f7f7f7", "fdd0a2", "fd8d3c", "d94801", "7f2704")


def levels(frames: Array) -> bytes:
    """A PNG of log-mel frames (n_frames, n_bands) in dB, low bands at the bottom."""
    image = _narrow(frames)
    top = float(image.max())
    return _png(_shades((image - top) / RANGE_DB + 1.0, 48), _palette(_LEVELS, 48))


def differences(cells: Array) -> bytes:
    """A PNG of robust z-scores (n_frames, n_bands): blue is quieter than normal recordings, orange louder."""
    return _png(_shades(_narrow(cells) / (2 * BEYOND) + 0.5, 17), _palette(_DIFFERENCES, 17))


def _narrow(frames: Array) -> Array:
    """(n_bands, n_columns), the highest band first: frames that share a column are averaged."""
    step = -(-len(frames) // _WIDEST)
    starts = np.arange(0, len(frames), step)
    counts = np.diff(np.append(starts, len(frames)))
    means: Array = np.add.reduceat(frames, starts, axis=0) / counts[:, None]
    return means.T[::-1]


def _shades(share: Array, n: int) -> npt.NDArray[np.uint8]:
    return np.clip(np.rint(share * (n - 1)), 0, n - 1).astype(np.uint8)


def _palette(colours: tuple[str, ...], n: int) -> bytes:
    corners = np.array([list(bytes.fromhex(colour)) for colour in colours], np.float64)
    at = np.linspace(0, len(colours) - 1, n)
    mixed = [np.interp(at, np.arange(len(colours)), corners[:, channel]) for channel in range(3)]
    return np.rint(np.array(mixed).T).astype(np.uint8).tobytes()


def _png(indices: npt.NDArray[np.uint8], palette: bytes) -> bytes:
    """An indexed image (n_rows, n_columns) of 8 bits; see the PNG specification, 11.2."""
    height, width = indices.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1)  # each without a filter
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 9)
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
