"""Is a downloaded dataset still what its zips held? Size and CRC-32 of every file, without the zips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asdcli.editions.archives import check, members
from asdcli.editions.request import Request
from asdcli.errors import DownloadError
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress


@dataclass(frozen=True)
class VerifyFacts:
    """How many archives and files of them were checked, and their bytes."""

    archives: int
    files: int
    bytes: int


def run(request: Request, root: Path, *, progress: Progress = SILENT) -> Outcome:
    """Compare every unpacked file with what was in its zip (size and CRC-32).

    Raises:
        DownloadError: files are missing or changed (the first are named), or parts are not there at all.
    """
    parts = request.parts(root)
    absent = [p.zip_name for p in parts if not p.is_unpacked(root)]
    wrong: dict[str, list[str]] = {}
    listed = [(p, members(p, root)) for p in parts if p.is_unpacked(root)]
    total = sum(m.size for _, files in listed for m in files)

    def checks() -> Iterator[int]:
        for part, files in listed:
            for member, fault in check(part, root, files):
                if fault:
                    wrong.setdefault(part.machine_type, []).append(fault)
                yield member.size

    for n_bytes in progress.track(checks(), total=total, label="verify", unit="bytes"):
        progress.advance(n_bytes)
    faults = [f for found in wrong.values() for f in found]
    if faults or absent:
        lines = [f"  {f}" for f in faults[:10]] + ([f"  … and {len(faults) - 10} more"] if len(faults) > 10 else [])
        lines += [f"  {name} is not unpacked" for name in absent]
        damaged = sorted({*wrong, *(p.machine_type for p in parts if wrong and not p.is_unpacked(root))})
        again = request.again(*(["--force"] if wrong else []), machine_types=damaged)
        raise DownloadError("\n".join([f"{root} is not complete:", *lines]), f"repair it: {again}")
    return Outcome(root, facts=VerifyFacts(len(listed), sum(len(f) for _, f in listed), total))
