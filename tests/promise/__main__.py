"""Whether a promise holds: `make promise`, or `python -m tests.promise [--folder DIR] [--learn N] [--fresh N]`.

Learns a fan of the synthetic factory from normal recordings, checks fresh ones of the same fan, and prints how many of
them raise an alarm beside how many were promised, in Markdown: all of it by typing `asd learn` and `asd check`. What is
recorded already is not recorded again. Exits with 1 where a promise does not hold.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.calibration.trials import Failed, asd
from tests.helpers.environment import forget_asd
from tests.promise.figures import Kept
from tests.promise.recordings import FAN, record


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.promise", description=__doc__.partition(".")[2])
    parser.add_argument(
        "--folder", type=Path, default=Path("promise"), help="where trials are kept, each in a folder of its own"
    )
    parser.add_argument("--learn", type=int, default=300, help="normal recordings to learn")
    parser.add_argument("--fresh", type=int, default=1000, help="other normal recordings to check")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each recording")
    parser.add_argument("--seed", type=int, default=0, help="of the recordings")
    parser.add_argument("--promised", type=float, nargs="+", default=[1.0, 5.0, 10.0], help="false alarms, in percent")
    given = parser.parse_args(words)
    forget_asd()
    try:
        kept = [_tried(given, percent) for percent in given.promised]
    except Failed as failed:
        print(f"error: {failed}", file=sys.stderr)
        return failed.code if failed.code > 0 else 128 - failed.code  # a signal, as a shell says it
    print(f"{given.learn:,} normal recordings of a synthetic {FAN} learned, {given.fresh:,} fresh ones checked.\n")
    print(
        "| promised | false alarms | measured (95 % of so many fresh ones) | luck of both kept to 95 % | the promise |"
    )
    print("|---|---|---|---|---|")
    for one in kept:
        print(one)
    return 1 if any(one.verdict == "does not hold" for one in kept) else 0


def _tried(given: argparse.Namespace, percent: float) -> Kept:
    how = {"seconds": given.seconds, "seed": given.seed}
    folder = given.folder / f"seed-{given.seed}-{given.learn}-and-{given.fresh}-of-{given.seconds:g}s"
    learned = record(folder / FAN / "October normal", "2024-10", given.learn, **how)
    fresh = record(folder / FAN / "November", "2024-11", given.fresh, **how)
    found = folder / f"november-at-{percent:g}.csv"
    place = ("--run", str(folder / "run"), "--data", str(folder / "data"))
    asd("learn", str(learned), "--machine", FAN, "--false-alarms", f"{percent:g}%", *place, "-q")
    asd("check", str(fresh), "--csv", str(found), "--why", "none", "--force", *place, "-q")
    with found.open(newline="") as file:
        verdicts = [row["verdict"] for row in csv.DictReader(file)]
    return Kept(percent / 100, given.learn, len(verdicts), verdicts.count("suspicious"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
