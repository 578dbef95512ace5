"""What a plan comes to: runs, each of one dataset, model and seed.

A cell is the ordinary run `<runs>/<dataset>/<label>/seed-<n>`. Its scores with sections as unit lie in a run beside it,
`seed-<n>-section`. Its packs are those that `packing` makes.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import AsdError, MissingArtifact
from asdcli.filenames import stem
from asdcli.files import CARD
from asdcli.pipeline import lent
from asdcli.pipeline.freshness import Freshness
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress
from asdcli.scorers.fuse import Fuse, unspelled
from asdcli.spec import parse
from asdcli.sweep.packing import Packing
from asdcli.sweep.work import Begin, Site
from asdcli.views.clips import machine_types_of
from asdcli.vocabulary import Condition, Split, Unit
from asdcli.wording import listed

_AUTOENCODER = "autoencoder"


@dataclass(frozen=True)
class Cell:
    """One run of a plan. Its spellings are the canonical ones.

    Attributes:
        dataset, label, seed: which cell it is.
        trains: models that are trained, none for an embedder without training.
        embedder: that embeds without training; None means the model that is trained, if one of them embeds.
        lent: embeddings of another run, which are scored in place of its own.
        methods: that score.
        fusions: methods that are made of the scores of others among them.
        tune: the method whose scores are smoothed with chosen parameters; None: none.
        units: the clips that share one reference set; none means each method's own.
        kinds: of features that it reads.
        machine_types, channel, precision, hold_out: as the plan has them.
    """

    dataset: str
    label: str
    seed: int
    trains: tuple[str, ...]
    embedder: str | None
    methods: tuple[str, ...]
    kinds: tuple[str, ...]
    fusions: tuple[str, ...] = ()
    tune: str | None = None
    units: tuple[str, ...] = ()
    machine_types: tuple[str, ...] = ()
    channel: str | None = None
    precision: str = "auto"
    hold_out: float | None = None
    lent: str | None = None
    waits = False

    @property
    def name(self) -> str:
        return f"{self.dataset}/{self.label}/seed-{self.seed}"

    @property
    def packing(self) -> Packing:
        return Packing(self.dataset, self.kinds, self.machine_types, self.channel)

    def space(self, site: Site) -> Workspace:
        return site.space(self.dataset, self.label, f"seed-{self.seed}")

    def noted_in(self, site: Site) -> Path | None:
        return self.space(site).run

    def scored_in(self, site: Site) -> list[tuple[Workspace, Unit | None]]:
        """The runs that its scores lie in, each with its unit (None: the methods' own)."""
        own = self.space(site)
        beside = site.space(self.dataset, self.label, f"seed-{self.seed}-{Unit.SECTION}")
        return [(beside if unit == Unit.SECTION else own, Unit(unit)) for unit in self.units] or [(own, None)]

    def methods_of(self, unit: Unit | None) -> list[str]:
        """Residuals have no reference set: such methods stand with machine types, not with sections."""
        return [m for m in self.methods if unit != Unit.SECTION or not _is_of_residuals(m)]

    def _fusions_of(self, unit: Unit | None) -> dict[str, tuple[list[str], Fuse]]:
        """Spelling -> parts and how they are fused, of the fusions all whose parts stand with this unit."""
        there = set(self.methods_of(unit))
        found = {spelling: fused for spelling in self.fusions if (fused := unspelled(spelling))}
        return {spelling: fused for spelling, fused in found.items() if there >= {*fused[0]}}

    # --- what there is -------------------------------------------------------------------------------------------

    def is_done(self, site: Site) -> bool:
        """Whether all its files are there, made as the plan says, of what is there now."""
        try:
            return not any(True for _ in self.lacks(site))
        except AsdError:  # a note that cannot be read: the steps say so
            return False

    def lacks(self, site: Site) -> Iterator[str]:
        """What is not there, not as the plan says, or stale, by name."""
        for space, expected in self._expected(site):
            found: list[Path] = []
            for name, path, fits in expected:
                header = _header(path)
                if header is None or not fits(header):
                    yield f"{space.run.name}/{name}"
                    return
                found.append(path)
            yield from (look.name for look in Freshness(space).looks(found) if look.is_stale or look.error)

    def foreign(self, site: Site) -> str | None:
        """What a model in its folder says that the plan does not, in words; None where there is none, or it fits."""
        for spelling in self.trains:
            header = _header(self._model(self.space(site), spelling))
            if header is not None and not self._fits(header, spelling):
                precision = header.params.get("precision")
                return f"{self.name} holds {header.params.get('model')} (seed {header.seed}, precision {precision})"
        return None

    def _expected(self, site: Site) -> Iterator[tuple[Workspace, list[tuple[str, Path, Callable[[Header], bool]]]]]:
        own = self.space(site)
        for space, unit in self.scored_in(site):
            files: list[tuple[str, Path, Callable[[Header], bool]]] = []
            if space.run == own.run:
                files += self._expected_of_model(own)
            methods = self.methods_of(unit)
            files += [(f"scores/{m}", space.scores(m), self._is_scored_in(m, unit)) for m in methods]
            fused = [*self._fusions_of(unit)]
            files += [(f"scores/{f}", space.scores(f), lambda _: True) for f in fused]
            if self.tune and space.run == own.run:
                files.append(("tuning", space.tuning, lambda h: h.seed == self.seed))
            if methods and _can_be_evaluated(own.clips):
                files.append(("results", space.results, lambda h, m=methods + fused: {*m} <= {*h.inputs}))  # type: ignore[misc]
            yield space, files

    def _expected_of_model(self, space: Workspace) -> Iterator[tuple[str, Path, Callable[[Header], bool]]]:
        for spelling in self.trains:
            path = self._model(space, spelling)
            yield path.name, path, lambda h, s=spelling: self._fits(h, s)  # type: ignore[misc]
        if self.embeds:
            fits = lambda h: h.params.get("embedder") == self.embedder if self.embedder else "model" in h.inputs  # noqa: E731
            yield "embeddings", space.embeddings, fits

    def _model(self, space: Workspace, spelling: str) -> Path:
        return space.autoencoder if parse(spelling)[0] == _AUTOENCODER else space.model

    def _fits(self, header: Header, spelling: str) -> bool:
        params = header.params
        held_out = self.hold_out is None or params.get("hold_out", 0.0) == self.hold_out
        same = params.get("model") == spelling and params.get("precision") == self.precision and "folds" not in params
        return same and held_out and header.seed == self.seed

    def _is_scored_in(self, method: str, unit: Unit | None) -> Callable[[Header], bool]:
        if _is_of_residuals(method):
            return lambda _: True
        return lambda h: h.seed == self.seed and (unit is None or h.params.get("unit") == unit)

    @property
    def embeds(self) -> bool:
        """Whether there are embeddings."""
        return self.embedder is not None or any(parse(spelling)[0] != _AUTOENCODER for spelling in self.trains)

    # --- what is done --------------------------------------------------------------------------------------------

    def take(self, site: Site, begin: Begin, progress: Progress) -> bool:
        """Take the steps, in the order of the chain; what is up to date is left alone. Raises what the steps raise."""
        from asdcli.pipeline.steps import embed, evaluate, score, train

        space = self.space(site)
        how: dict[str, Any] = {"force": site.force, "progress": progress}
        shared = self.packing.space(site)
        self._require_packs(shared)
        for kind in self.kinds:
            lent.take_packs(space, shared.run, kind)
        only: dict[str, Any] = {"machine_types": list(self.machine_types) or None, "device": site.device}
        for spelling in self.trains:
            begin("train")
            train.run(
                space,
                model=spelling,
                seed=self.seed,
                precision=self.precision,
                hold_out=self.hold_out,
                **only,
                **how,
            )
        if self.embeds:
            begin("embed")
            embed.run(space, embedder=self.embedder, **only, **how)
        for run, unit in self.scored_in(site):
            begin("score")
            table = Path(self.lent) if self.lent else space.embeddings
            elsewhere: dict[str, Any] = {} if table == run.embeddings else {"embeddings": table}
            if methods := self.methods_of(unit):
                score.run(run, methods, unit=unit, seed=self.seed, device=site.device, **elsewhere, **how)
            self._fuse(run, unit, how)
        if self.tune:
            begin("tune")
            self._tune(space, how)
        if _can_be_evaluated(space.clips):
            begin("evaluate")
            for run, unit in self.scored_in(site):
                if self.methods_of(unit):
                    evaluate.run(run, **how)
        return True

    def _fuse(self, space: Workspace, unit: Unit | None, how: dict[str, Any]) -> None:
        from asdcli.pipeline.steps import fuse

        for parts, fusion in self._fusions_of(unit).values():
            fuse.run(space, parts, fuse=fusion, **how)

    def _tune(self, space: Workspace, how: dict[str, Any]) -> None:
        from asdcli.pipeline.steps import smooth, tune

        source, smoothing = smooth.asked(method=self.tune)
        tune.run(space, source, smoothing=smoothing, seed=self.seed, **how)

    def _require_packs(self, shared: Workspace) -> None:
        """Raises MissingArtifact where packs are not whole: a model of some machine types would look like another."""
        table, _ = artifacts.read_table(shared.clips, artifacts.CLIPS)
        wanted = machine_types_of(table, list(self.machine_types) or None, shared.clips)
        for kind in self.kinds:
            folder = shared.own_features / stem(kind)
            where = [*shared.words_to_data(), "--dataset", self.dataset, "--run", str(shared.run)]
            words = ["asd", "extract-features", "--features", kind, *where]
            if missing := [name for name in wanted if not (folder / f"{name}.npz").exists()]:
                raise MissingArtifact(
                    f"there are no {kind} features of {listed(missing)} in {shared.run}",
                    f"see what is wrong with them: {shlex.join(words)}",
                )


def _header(path: Path) -> Header | None:
    """The header of an artifact; None where there is none that can be read."""
    try:
        return artifacts.read_header(path, artifacts.ANY) if path.is_file() or (path / CARD).exists() else None
    except AsdError:
        return None


@lru_cache(maxsize=1024)
def _is_of_residuals(method: str) -> bool:
    from asdcli.scorers import SCORERS, takes

    return takes(SCORERS.build(method)) == "residuals"


def _can_be_evaluated(clips: Path) -> bool:
    """Whether a test clip is known to be an anomaly."""
    return _has_anomalies(clips, clips.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _has_anomalies(clips: Path, _mtime: int) -> bool:
    table, _ = artifacts.read_table(clips, artifacts.CLIPS, columns=["split", "condition"])
    test = table.filter(pc.equal(table["split"], str(Split.TEST)))
    return str(Condition.ANOMALY) in test["condition"].to_pylist()
