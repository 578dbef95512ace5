"""What a look for drift found of a machine, and the same in words: what is seen, and no diagnosis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from asdcli.metrics.differing import FEWEST
from asdcli.metrics.martingale import MOST
from asdcli.wording import counted

SURE = 0.01
"""How improbable a difference by chance has to be to be spoken of as one."""


@dataclass(frozen=True)
class Band:
    """Frequencies at which recent recordings are louder or quieter than all that was learned.

    Attributes:
        low_hz, high_hz: where it begins and ends.
        where: the same in words.
        db: by how much it is louder, on average (negative: quieter).
        spreads: the same in robust standard deviations of learned recordings (of 1 dB at least).
        since: when the first recording was made that shows it; None: the first that was listened to does.
        until: the last; None: the last of all does.
        recordings: how many of those from first to last show it.
        of: how many there are from first to last.
    """

    low_hz: float
    high_hz: float
    where: str
    db: float
    spreads: float
    since: str | None
    until: str | None
    recordings: int
    of: int


@dataclass(frozen=True)
class Drift:
    """A machine.

    Attributes:
        machine: its name.
        method: of scoring.
        detector: digest of what had been learned.
        recordings: how many were looked at.
        learned: normal recordings that their p-values are among.
        first, last: when the earliest and the latest of them were made.
        left_out: why others were not looked at -> how many.
        needed: how many it takes to see any change; None: more than `MOST`, for so little was learned.
        recent: how many of the last ones are recent.
        suspicious: how many of these lie above the threshold.
        median_p: of these; that of normal ones is about a half.
        ks_p: how probable p-values as small as theirs are by chance (Kolmogorov and Smirnov, one-sided).
        line: what the capital of a bet on a change reaches by chance on one machine in so many, at most.
        capital, highest: of that bet, after the last recording, and at its highest.
        crossed: when the recording was made with which it reached the line, if ever.
        begun: when that one was made with which the change began, as far as can be told.
        heard: recent recordings whose sound is still there.
        groups: of learned recordings that it was held against.
        bands: that have moved, the clearest first.
        listen: a recent recording, and the learned one it is most like.
        words: all of it in sentences.
    """

    machine: str
    method: str
    detector: str
    recordings: int
    learned: int
    first: str | None
    last: str | None
    left_out: Mapping[str, int]
    needed: int | None
    recent: int
    suspicious: int
    median_p: float | None
    ks_p: float | None
    line: float
    capital: float | None
    highest: float | None
    crossed: str | None
    begun: str | None
    heard: int
    groups: int
    bands: tuple[Band, ...]
    listen: tuple[str, str] | None
    words: tuple[str, ...] = ()

    @property
    def too_few(self) -> bool:
        return self.needed is None or self.recordings < self.needed

    @property
    def changed(self) -> bool:
        """Whether anything is spoken of as a change."""
        return not self.too_few and bool(self.crossed or self.bands or (self.ks_p is not None and self.ks_p < SURE))


def told(found: Drift) -> Drift:
    """The same with its sentences."""
    return replace(found, words=tuple(_sentences(found)))


def _sentences(found: Drift) -> Iterator[str]:
    n = found.recordings
    span = f" from {found.first} to {found.last}" if n > 1 else ""
    left = ", ".join(f"{count} {why}" for why, count in found.left_out.items())
    yield (
        f"{found.machine}: {counted(n, 'checked recording')}{span}, beside {found.learned} that were learned"
        + (f" (left out: {left})" if left else "")
    )
    if found.needed is None:
        yield f"not even {MOST} of them show a change beside so few that were learned ({found.learned}): learn more"
        return
    if found.too_few:
        yield (
            f"too few to see a change: it takes {found.needed} at least, so that chance is taken for one on 1 machine "
            f"in {found.line:.0f} at most"
        )
        return
    yield _of_p(found)
    yield _of_bet(found)
    yield from _of_bands(found)
    if found.changed:
        beside = f"; listen to {found.listen[0]} beside {found.listen[1]}" if found.listen else ""
        yield (
            "this is what is seen, not why: another load or season, a gain, the place of the microphone or wear may do "
            f"that{beside}"
        )


def _of_p(found: Drift) -> str:
    if found.ks_p is None or found.median_p is None:
        return "no recording is as recent as that"
    how = "are smaller than chance allows" if found.ks_p < SURE else "are no smaller than those of learned ones"
    above = f"; {found.suspicious} {'lies' if found.suspicious == 1 else 'lie'} above the threshold"
    above = above if found.suspicious else ""
    return (
        f"p-values of the last {counted(found.recent, 'recording')} {how} (median {found.median_p:.2g}, of normal ones "
        f"about 0.5; Kolmogorov-Smirnov p = {found.ks_p:.2g}){above}"
    )


def _of_bet(found: Drift) -> str:
    won, line = f"a bet on a change has won {_fold(found.highest)} its stake", f"{found.line:.0f}"
    if found.crossed is None:
        return f"{won} at most: less than the {line} times that chance alone reaches on 1 machine in {line} at most"
    return (
        f"{won}, and reached {line} times on {found.crossed}, which chance alone does on 1 machine in {line} at "
        f"most; the change began about {found.begun}"
    )


def _fold(highest: float | None) -> str:
    value = highest or 1.0
    return f"{value:.1f} times" if value < 10 else f"{value:,.0f} times" if value < 1e6 else "over a million times"


def _of_bands(found: Drift) -> Iterator[str]:
    if not found.recent:
        return
    if not found.heard:
        yield (
            "which frequencies have moved cannot be told: the sound of none of them is there any more, or of none that "
            "was learned"
        )
        return
    if found.groups < FEWEST:
        yield f"which frequencies have moved cannot be told beside fewer than {FEWEST} learned recordings"
        return
    for band in found.bands:
        direction = "higher" if band.db > 0 else "lower"
        span = f" since {band.since}" if band.since else ""
        span += f" until {band.until}" if band.until else ""
        share = "all" if band.recordings == band.of else str(band.recordings)
        yield (
            f"the level {band.where} is {abs(band.db):.0f} dB {direction}{span}, in {share} of {band.of} recordings "
            f"({abs(band.spreads):.1f} times the spread of learned ones)"
        )
    if not found.bands:
        yield (
            f"no frequency has moved: {found.heard} recordings together lie no farther off than one of {found.groups} "
            "groups of learned ones from the others"
        )
