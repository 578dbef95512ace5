"""What promises are worth: `make calibration`, or `python -m tests.calibration [--folder DIR] [--seeds N]`.

Trains, embeds, scores and sets thresholds on synthetic machines and, where the data root holds it, on ToyCar of 2023,
and prints promised beside measured false alarms and the official scores of VarMin's validation sets, in Markdown.
Interrupted, it goes on where it stopped; what is there is not made again.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from asdcli.metrics.shares import Share
from asdcli.scorers import SCORERS
from tests.calibration import trials
from tests.calibration.figures import DOMAINS, Counts, difference, lines, officials
from tests.calibration.trials import PROMISED, Trial
from tests.helpers.environment import forget_asd

_METHODS = [
    SCORERS.canonical(method)
    for method in ("nn", "mahalanobis", "mse", "varmin:k=16,val=train-all", "varmin:k=16,val=held-out")
]
_OTHERS = ("train-all", "test-all")


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.calibration", description=__doc__.partition(".")[2])
    parser.add_argument("--folder", type=Path, default=Path("calibration"), help="where runs and recordings are kept")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0")
    parser.add_argument("--only", choices=("synthetic", "ToyCar"), help="only these recordings")
    given = parser.parse_args(words)
    data = trials.toycar_data()
    forget_asd()
    try:
        return _tables(given, data)
    except trials.Failed as failed:
        print(f"error: {failed}\nhint: what was done is kept; the same command goes on from there", file=sys.stderr)
        return failed.code if failed.code > 0 else 128 - failed.code  # a signal, as a shell says it


def _tables(given: argparse.Namespace, data: Path | None) -> int:
    seeds = range(given.seeds)
    if given.only != "ToyCar":
        title = f"Synthetic machines, size small, {given.seeds} factories"
        _show(title, trials.synthetic(given.folder, seeds))
    if given.only != "synthetic" and data is not None:
        _show(f"ToyCar, DCASE 2023 development, {given.seeds} seeds", trials.toycar(given.folder, data, seeds))
    elif given.only == "ToyCar":
        print("error: the data root holds no dcase2023 of ToyCar alone", file=sys.stderr)
        print("hint: asd download dcase2023 --machine-type ToyCar", file=sys.stderr)
        return 2
    return 0


def _show(title: str, by_seed: Iterable[list[Trial]]) -> None:
    done: list[Trial] = []
    for of_seed in by_seed:
        for trial in of_seed:
            print(f"{trial.run}", file=sys.stderr, flush=True)
            trial.work()
            done.append(trial)
    print(f"## {title}\n\n{PROMISED:.0%} false alarms promised.\n")
    print("| system | method | threshold set on | false alarms, source | target | hits, source / target | source |")
    print("|---|---|---|---|---|---|---|")
    for line in lines(done, _METHODS):
        source, target = (line.domains[name] for name in DOMAINS)
        hits = f"{source.hit_rate:.0%} / {target.hit_rate:.0%}"
        cells = (line.system, line.method, line.set_on, _alarms(source), _alarms(target), hits, _kept(source))
        print(f"| {' | '.join(cells)} |")
    for system, methods in officials(done).items():
        print(f"\n### {system}: official score by the clips that set alpha\n")
        print("| method | mean | std | minus nn | minus val=train-all | minus val=test-all |")
        print("|---|---|---|---|---|---|")
        for method in sorted(methods, key=_order):
            print(f"| {method} | {' | '.join(_official(methods, method))} |")
    print(flush=True)


def _alarms(of: Counts) -> str:
    share: Share = of.false_alarms
    low, high = share.interval
    spread = f"; {of.range[0]:.0%} to {of.range[1]:.0%}" if len(of.normal) > 1 else ""
    return f"{share.measured:.1%} of {share.n} ({low:.1%} to {high:.1%}{spread})"


def _kept(source: Counts) -> str:
    share = source.false_alarms
    if not share.far:
        return "kept"
    return "more" if share.measured > PROMISED else "fewer"


def _order(method: str) -> tuple[str, int, str]:
    name, _, rest = method.partition(":")
    k = rest.partition(",")[0].removeprefix("k=")
    return name, int(k) if k.isdecimal() else 0, rest


def _official(methods: dict[str, dict[int, float]], method: str) -> list[str]:
    scores = methods[method]
    spread = f"{statistics.stdev(scores.values()):.3f}" if len(scores) > 1 else "-"
    k = method.partition(",val=")[0].partition("varmin:k=")[2]
    others = ["nn", *(f"varmin:k={k},val={val}" for val in _OTHERS)]
    cells = [_gap(scores, methods.get(other)) if k and other != method else "-" for other in others]
    return [f"{statistics.fmean(scores.values()):.3f}", spread, *cells]


def _gap(scores: dict[int, float], others: dict[int, float] | None) -> str:
    if not others:
        return "-"
    mean, low, high = difference(scores, others)
    return f"{mean:+.3f}" + ("" if math.isnan(low) else f" ({low:+.3f} to {high:+.3f})")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
