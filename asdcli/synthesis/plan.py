"""Which clips a size has: their names, settings and faults, decided without rendering a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from asdcli.clips import GRAMMARS
from asdcli.synthesis.machines import MACHINES
from asdcli.synthesis.seeds import generator
from asdcli.synthesis.sizes import Size
from asdcli.vocabulary import Condition, Domain, Split, Subset


@dataclass(frozen=True)
class PlannedClip:
    """One clip to be rendered. `path` is relative to the dataset root; `fault` and `degree` are None when normal."""

    path: PurePosixPath
    machine_type: str
    section: str
    domain: Domain
    setting: dict[str, str]
    fault: str | None = None
    degree: str | None = None


def plan(size: Size, machine_type: str, seed: int) -> list[PlannedClip]:
    """All clips of one machine type in a fixed order."""
    clips: list[PlannedClip] = []
    for subset, section in size.sections:
        for domain, count in ((Domain.SOURCE, size.train_source), (Domain.TARGET, size.train_target)):
            clips += _group(size, machine_type, subset, section, Split.TRAIN, domain, Condition.NORMAL, count, seed)
        for domain in Domain:
            for condition in Condition:
                clips += _group(size, machine_type, subset, section, Split.TEST, domain, condition, size.test, seed)
    return clips


def _group(
    size: Size,
    machine_type: str,
    subset: Subset,
    section: str,
    split: Split,
    domain: Domain,
    condition: Condition,
    count: int,
    seed: int,
) -> Iterator[PlannedClip]:
    settings = MACHINES[machine_type].settings(domain)
    cases = [(fault, degree) for fault in MACHINES[machine_type].knobs for degree in ("mild", "severe")]
    # whole rounds of all cases, shuffled, so that every fault occurs about equally often and beside every setting
    rng = generator("faults", machine_type, section, domain, seed)
    order = [int(i) % len(cases) for i in rng.permutation(-(-count // len(cases)) * len(cases))]
    for number in range(count):
        setting = settings[number % len(settings)]
        name = _name(size.grammar, section, split, domain, condition, number, setting)
        fault, degree = cases[order[number]] if condition is Condition.ANOMALY else (None, None)
        folder = f"{domain}_test" if _domain_folders(size.grammar, split) else str(split)
        path = PurePosixPath(f"{subset}_data", "raw", machine_type, folder, name)
        yield PlannedClip(path, machine_type, section, domain, setting, fault, degree)


def _domain_folders(era: str, split: Split) -> bool:
    return GRAMMARS[era].domain_folders and split is Split.TEST


def _name(
    era: str, section: str, split: Split, domain: Domain, condition: Condition, number: int, setting: dict[str, str]
) -> str:
    stem = f"section_{section}_{domain}_{split}_{condition}_{number:04d}"
    if _domain_folders(era, split):  # such names hold no attributes
        return f"{stem}.wav"
    return "_".join([stem, *(f"{key}_{value}" for key, value in setting.items())]) + ".wav"
