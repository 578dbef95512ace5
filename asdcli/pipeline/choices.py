"""What `asd learn` chooses where nothing is said: how recordings are read and listened to. Each choice is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from asdcli import audio
from asdcli.errors import BadData, UsageError
from asdcli.metrics.threshold_rules import FEW
from asdcli.pipeline.steps import run
from asdcli.pipeline.windows import windows
from asdcli.progress import Progress
from asdcli.views import stretches
from asdcli.views.reading import Reading
from asdcli.vocabulary import BOTH
from asdcli.wording import counted, listed

WINDOW_S, HOP_S = 10.0, 5.0
"""Seconds of the windows that long recordings are cut into, and from one to the next."""
CUT_FROM_S = 2 * WINDOW_S
"""Where nothing is asked for, shorter recordings are not cut."""
ENOUGH = 10 * FEW
"""Recordings of each machine for which a network is trained: a tenth is kept from it, and promises stand on that."""
_BANDS = f"listening by {run.WITHOUT_TRAINING} (level and fluctuation of each frequency band)"


def require_several(table: pa.Table, progress: Progress) -> None:
    """Say which machines there are, and which long recordings were cut into several.

    Raises:
        BadData: one recording of every machine only.
    """
    counts = Counter(table["machine_type"].to_pylist())
    alone = sorted(name for name, n in counts.items() if n < 2)
    what = "one normal recording tells nothing of what is normal"
    if len(alone) == len(counts):
        raise BadData(
            f"{what}: {listed(alone)}",
            "record more of it while it is healthy: 20 at least, 100 better; or one that is long, ten minutes at least",
        )
    if alone:
        progress.left_out(f"{what}, and nothing will be said of {listed(alone)}")
    progress.note(
        "machines, by the folders that the recordings lie in: "
        + ", ".join(f"{name} ({counted(n, 'recording')})" for name, n in sorted(counts.items()))
        + ("; if they are one, --machine NAME says so" if len(counts) > 1 else "")
    )
    for sentence in stretches.told(table):
        progress.note(sentence)


def stretches_from(channel: str | None, window_s: float | None) -> float | None:
    """Seconds of the shortest stretches that few long recordings are cut into: of two windows; None where none is cut.

    Two channels are not cut, because they are windows already.
    """
    return None if channel == BOTH else max(CUT_FROM_S, 2 * (window_s or 0.0))


def reading(
    table: pa.Table, channel: str | None, sample_rate: int | None, resample: bool, progress: Progress
) -> dict[str, Any]:
    """How recordings are read, and what is not said otherwise; what is chosen is said."""
    rates, channels = (Counter(table[name].to_pylist()) for name in ("sample_rate", "channels"))
    if channel is None and set(channels) != {1}:
        channel = "0"
        most = max(channels)
        progress.note(
            f"recordings of up to {most} channels: the first is taken (another: --channel 1 to {most - 1}; the mean of "
            "all: --channel mean)"
        )
    target = sample_rate or min(audio.SAMPLE_RATE, *rates)
    others = sorted(rate for rate in rates if rate != target)
    if others:
        told = ", ".join(f"{rate:,} Hz" for rate in others)
        lost = f"; what lies above {target // 2:,} Hz is not heard" if others[-1] > target else ""
        keep = "" if sample_rate else f" (--sample-rate {others[-1]} keeps it)" if len(others) == 1 else ""
        progress.note(f"sample rates: {told}, brought to {target:,} Hz{lost}{keep}")
    return {"channel": channel, "sample_rate": target, "resample": resample or bool(others)}


def learned_windows(
    table: pa.Table, channel: int | str | None, window_s: float | None, hop_s: float | None, progress: Progress
) -> dict[str, Any]:
    """The same where recordings are learned: by default those of two windows or more are cut; that is said.

    Two channels are not cut, because they are windows already.
    """
    asked = windows(window_s, hop_s)
    if "window_s" in asked:
        found = asked
    elif channel == BOTH and not asked:
        return {}
    else:
        found = {"window_s": WINDOW_S, "hop_s": HOP_S, "cut_from_s": CUT_FROM_S, **asked}
    of = Reading.of(found)
    long = sum(of.is_long(duration or 0.0) for duration in table["duration_s"].to_pylist())
    if long:
        progress.note(
            f"{counted(long, 'recording')} of {of.longest_whole_s:g} s or more {'is' if long == 1 else 'are'} cut into "
            f"windows of {of.window_s:g} s, one every {of.hop_s:g} s (--window, --hop); each is as suspicious as the "
            "worst of its windows, and asd check cuts likewise"
        )
    return found


def every(table: pa.Table, reading: Mapping[str, Any], false_alarms: str, progress: Progress) -> str | None:
    """The time from one recording to the next where nobody says it: long ones follow each other without a gap.

    Args:
        table: of the recordings.
        reading: how they are read.
        false_alarms: of a time.
        progress: is told.

    Returns:
        None where some are not so long that they are cut.
    """
    lengths = sorted(duration or 0.0 for duration in table["duration_s"].to_pylist())
    if not Reading.of(reading).is_long(lengths[0]):
        return None
    typical = round(lengths[len(lengths) // 2])
    length = f"{typical / 60:.3g} min" if typical >= 60 else f"{typical} s"
    progress.note(
        f"{false_alarms}: of recordings as long as those learned ({length}), one after the other without a gap (where "
        "they come less often: --every TIME)"
    )
    return f"{typical}s"


def trains(table: pa.Table, embedder: str | None, progress: Progress) -> bool:
    """Whether a network is to be trained; which way is taken, and what would be better, is said in one line."""
    counts = Counter(table["machine_type"].to_pylist())
    machines = sorted(counts)
    if embedder is not None and embedder != "trained":
        if run.embedder_of(embedder).trained:
            raise UsageError(
                f"--embedder {embedder} names what one kind of training makes", "say --embedder trained, or logmel"
            )
        progress.note(f"listening by {embedder}, as asked for")
        return False
    if run.is_one_class(table, machines):
        if embedder:
            raise UsageError(
                "there is nothing to tell apart in training: all recordings are of one machine in one state",
                f"leave --embedder out, or learn several machines in one call: --embedder {run.WITHOUT_TRAINING}",
            )
        progress.note(
            f"{_BANDS}, because there is one machine in one state; a network that learns to tell machines apart may "
            "hear more: learn several machines in one call"
        )
        return False
    if embedder is None and min(counts.values()) < ENOUGH:
        fewest = min(machines, key=lambda machine: counts[machine])
        progress.note(
            f"{_BANDS}; a network that learns to tell the machines apart may hear more, and takes {ENOUGH} recordings "
            "of each, because a tenth is kept from it to promise anything (with fewer: --embedder trained); "
            f"{fewest} has {counts[fewest]}"
        )
        return False
    progress.note(
        f"listening by a network that learns to tell {len(machines)} machines apart; promises stand on a tenth of the "
        f"recordings, which it is not shown (without training, in seconds: --embedder {run.WITHOUT_TRAINING})"
    )
    return True
