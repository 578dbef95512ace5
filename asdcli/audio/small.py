"""Sounds to be listened to, as small files: FLAC, which loses nothing, and Opus, which loses what is hardly heard."""

from __future__ import annotations

import io
import zlib

import numpy as np
import numpy.typing as npt

from asdcli.audio.convert import FULL_SCALE

OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
"""The sample rates that Opus takes, in Hz."""

_REVERSED = bytes(int(f"{i:08b}"[::-1], 2) for i in range(256))


def flac(samples: npt.NDArray[np.int16], sample_rate: int) -> bytes:
    """A FLAC file of (n_samples,) int16; the same samples give the same bytes with the same libsndfile."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def opus(samples: npt.NDArray[np.int16], sample_rate: int) -> bytes:
    """An Ogg file with Opus of (n_samples,) int16, at the next rate that Opus takes where it does not take this one.

    The same samples give the same bytes with the same libsndfile.
    """
    import soundfile

    rate = next((one for one in OPUS_RATES if one >= sample_rate), OPUS_RATES[-1])
    wave: npt.NDArray[np.float64] = samples / FULL_SCALE
    if rate != sample_rate:
        import soxr

        wave = np.clip(soxr.resample(wave, sample_rate, rate), -1.0, 1.0)
    file = io.BytesIO()
    soundfile.write(file, wave, rate, format="OGG", subtype="OPUS")
    return _numbered(file.getvalue())


def writes_opus() -> bool:
    """Whether the libsndfile that is here can write Opus."""
    import soundfile

    return "OPUS" in soundfile.available_subtypes("OGG")


def _numbered(ogg: bytes) -> bytes:
    """An Ogg file of one stream with 1 for its serial number, which libsndfile draws by the clock."""
    pages, at = [], 0
    while ogg[at : at + 4] == b"OggS":
        n_segments = ogg[at + 26]
        end = at + 27 + n_segments + sum(ogg[at + 27 : at + 27 + n_segments])
        blank = ogg[at : at + 14] + (1).to_bytes(4, "little") + ogg[at + 18 : at + 22] + bytes(4) + ogg[at + 26 : end]
        pages.append(blank[:22] + _checksum(blank).to_bytes(4, "little") + blank[26:])
        at = end
    return b"".join(pages) + ogg[at:]


def _checksum(page: bytes) -> int:
    """Ogg's CRC of a page: zlib's polynomial with the bits of all bytes turned round, begun and ended with 0."""
    turned = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)
