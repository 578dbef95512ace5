"""Download an edition: plan what is missing, fetch and unpack it part by part, fetch the truth, index once.

Every part is finished on its own and marked; what is marked is skipped without asking anybody. A part that fails does
not stop the others and is named at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asdcli import artifacts
from asdcli.editions import clips_table, ground_truth
from asdcli.editions.archives import MARKERS, Archive, mark
from asdcli.editions.fit import owner_of_zip
from asdcli.editions.mirror import Folder, Mirror, Offer
from asdcli.editions.request import Request
from asdcli.errors import AsdError, DownloadError
from asdcli.fetch import (
    Job,
    Retry,
    Watcher,
    client,
    guard_disk,
    md5_of,
    megabytes,
    require_space,
    run_jobs,
    transfer,
    unzip,
)
from asdcli.metrics.specs import spec_named
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.wording import counted, listed
from asdcli.writing.locks import alone_with

if TYPE_CHECKING:
    import httpx

ARCHIVES = "archives"


@dataclass(frozen=True)
class Plan:
    """Parts that are there, and offers for those that are not."""

    there: tuple[Archive, ...]
    offers: tuple[Offer, ...]

    @property
    def size(self) -> int | None:
        """Bytes to fetch, None where some size is unknown."""
        sizes = [o.size for o in self.offers if o.problem is None]
        return None if None in sizes else sum(s for s in sizes if s is not None)


def plan(request: Request, root: Path, *, retry: Retry | None = None, progress: Progress = SILENT) -> Plan:
    """Look at what is there and ask for the rest, writing nothing. Errors as `run`."""
    parts = request.parts(root)
    there = () if request.force else tuple(p for p in parts if p.is_unpacked(root))
    missing = [p for p in parts if p not in there]
    if not missing:
        return Plan(there, ())
    if request.from_dir:
        folder = Folder(request.from_dir, progress)
        return Plan(there, tuple(folder.offer(p) for p in missing))
    with client() as http:
        mirror = Mirror(http, request.base_url, retry or Retry(), progress)
        return Plan(there, tuple(mirror.offer(p) for p in missing))


@alone_with("root")
def run(request: Request, root: Path, *, retry: Retry | None = None, progress: Progress = SILENT) -> Outcome:
    """Bring the parts of `request` that are not there, and (re)build `root/clips.parquet` when anything came.

    Raises:
        UsageError: unknown edition, machine type or impossible combination of options.
        BadData: a clips.parquet is there that asd did not make, or that was changed since.
        DownloadError: some parts could not be had (each named); the others are in place and indexed.
        DiskError: the disk is full or not writable; what was finished stays.
    """
    retry = retry or Retry()
    request.parts(root)  # refuse a wrong request before anything is made
    spec_named(request.known().metric)
    artifacts.claim(root / "clips.parquet", artifacts.CLIPS, force=request.force)
    with guard_disk(root):
        root.mkdir(parents=True, exist_ok=True)
    try:
        planned = plan(request, root, retry=retry, progress=progress)
    except DownloadError:
        _remove_if_empty(root)
        raise
    failed: dict[str, AsdError] = {o.part.zip_name: o.problem for o in planned.offers if o.problem}
    done: list[str] = []
    wanted = [o for o in planned.offers if o.problem is None]
    if wanted:
        _require_room(wanted, root)
        with ExitStack() as stack:
            http = None if request.from_dir else stack.enter_context(client())
            jobs = [Job(o.part.zip_name, _job(o, request, root, http, retry)) for o in wanted]
            report = run_jobs(
                jobs, connections=request.connections, total=planned.size, label=request.edition, progress=progress
            )
        _remove_if_empty(root / ARCHIVES)
        done = report.done
        failed |= report.failed
    n_there = len(done) + len(planned.there)
    if not n_there:
        _remove_if_empty(root)
        raise _summary(failed, 0, request)
    lacking = _truth(request, root, retry, progress)
    outcome = _index(request, root, progress)
    _advise(request, lacking, progress)
    if failed:
        raise _summary(failed, n_there, request)
    return outcome


def _job(
    offer: Offer, request: Request, root: Path, http: httpx.Client | None, retry: Retry
) -> Callable[[Watcher], None]:
    part, source = offer.part, offer.source
    archive = root / ARCHIVES / source.name

    def fetch_and_unpack(watcher: Watcher) -> None:
        if http is None:
            place = Path(source.urls[0])
            _check_md5(place, source.md5, request)
            watcher.count(offer.size or 0)
        else:
            place = archive
            _require_own(source.name, source.md5, request)
            if not archive.exists() or (source.md5 and md5_of(archive) != source.md5):
                transfer(http, source, archive, retry=retry, watcher=watcher)
        if source.md5 is None:
            watcher.say(f"{source.name}: no checksum is known for it; only the zip's own are checked")
        unpacked = unzip(place, part.raw(root), top=part.machine_type, watcher=watcher)
        mark(part, root, unpacked, source.md5)
        if place == archive and not request.keep_archives:
            archive.unlink()

    return fetch_and_unpack


def _check_md5(file: Path, md5: str | None, request: Request) -> None:
    got = md5_of(file)
    _require_own(file, got, request)
    if md5 and got != md5:
        raise DownloadError(
            f"{file} is not the file it should be: expected md5 {md5}, got {got}",
            "fetch it again; for zips of another content put their sums into md5sums.txt beside them",
        )


def _require_own(file: Path | str, md5: str | None, request: Request) -> None:
    """Raises DownloadError for a zip that another edition's record has: editions share names of machine types."""
    if md5 and (other := owner_of_zip(md5, request.known())):
        raise DownloadError(
            f"{file} is a zip of {other}, not of {request.edition}", f"take it as that: {request.again(edition=other)}"
        )


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _require_room(offers: Sequence[Offer], root: Path) -> None:
    """Refuse early what cannot fit: the wavs are never smaller than their zips, and one zip lies beside them."""
    sizes = [o.size for o in offers if o.size is not None]
    if sizes:
        require_space(
            root, sum(sizes) + max(sizes), f"{len(offers)} archives ({megabytes(sum(sizes))}) and their clips"
        )


def _truth(request: Request, root: Path, retry: Retry, progress: Progress) -> dict[str, AsdError]:
    """Bring the missing truth tables; what could not be had, by path."""
    wanted = request.tables()
    if all((root / t.path).exists() for t in wanted) or not (request.asks_for_truth or request.from_dir):
        return {}
    with ExitStack() as stack:
        return ground_truth.fetch(
            wanted,
            root,
            http=stack.enter_context(client()) if request.asks_for_truth else None,
            truth_url=request.truth_url,
            from_dir=request.from_dir,
            retry=retry,
            progress=progress,
        )


def _index(request: Request, root: Path, progress: Progress) -> Outcome:
    """clips.parquet, made again when a part or a truth table is newer than it."""
    output = root / "clips.parquet"
    group_by = clips_table.grouping(output)  # typed once, it stays
    making = {"group_by": group_by} if group_by else None
    made = clips_table.header(root, request.edition, request.released_attributes, making)
    sources = [*(root / MARKERS).glob("*.json"), *(root / t.path for t in request.tables())]
    newest = max((f.stat().st_mtime_ns for f in sources if f.exists()), default=0)
    if (
        not request.force
        and artifacts.is_current(output, artifacts.CLIPS, made)
        and output.stat().st_mtime_ns >= newest
    ):
        return Outcome(output, "current")
    return clips_table.run(
        root,
        output,
        edition=request.edition,
        released_attributes=request.released_attributes,
        group_by=group_by,
        progress=progress,
    )


def _advise(request: Request, lacking: dict[str, AsdError], progress: Progress) -> None:
    if not request.truth:
        return
    names = {t.path for t in request.tables() if t.truth.gives == "attributes"}
    if told := [error for path, error in lacking.items() if path not in names]:
        errors = listed([str(error) for error in told], between="; ")
        progress.left_out(
            f"{counted(len(told), 'table')} of ground truth could not be had ({errors}); "
            f"the clips they speak of stay without condition or domain; the same command asks for them again"
        )
    elif lacking:
        first = next(iter(lacking.values()))
        progress.note(
            f"{len(lacking)} tables of attributes, by which renamed test files are known, could not be had (the first: "
            f"{first}); asd evaluate --submission takes such files with --names alone; the same command asks again"
        )


def _summary(failed: dict[str, AsdError], n_there: int, request: Request) -> DownloadError:
    lines = [f"{len(failed)} of {len(failed) + n_there} archives of {request.edition} could not be had:"]
    lines += [f"  {error}" for _, error in sorted(failed.items())]
    kept = f"{n_there} archives are in place. " if n_there else ""
    hints = {e.hint for e in failed.values() if e.hint}
    return DownloadError(
        "\n".join(lines), kept + (hints.pop() if len(hints) == 1 else "run the same command again later")
    )
