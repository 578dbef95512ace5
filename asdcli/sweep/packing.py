"""The features of a dataset, which all runs of it in a sweep read: packs of the run `<runs>/<dataset>/shared`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress
from asdcli.sweep.work import Begin, Site

SHARED = "shared"
"""The run of a dataset that holds the packs."""


@dataclass(frozen=True)
class Packing:
    """The features of a dataset, made once for all its cells.

    Attributes:
        dataset: below the data root.
        kinds: of features.
        machine_types: only these; none means all.
        channel: of recordings of several; None means the dataset's default.
    """

    dataset: str
    kinds: tuple[str, ...]
    machine_types: tuple[str, ...] = ()
    channel: str | None = None
    waits = True

    @property
    def name(self) -> str:
        return f"{self.dataset}/{SHARED}"

    def space(self, site: Site) -> Workspace:
        return site.space(self.dataset, SHARED)

    def noted_in(self, site: Site) -> Path | None:
        return self.space(site).run

    def is_done(self, site: Site) -> bool:  # noqa: ARG002 - as a cell's
        """Never: the stage asks the recordings themselves, and says so where there is nothing to do."""
        return False

    def take(self, site: Site, begin: Begin, progress: Progress) -> bool:
        """Pack what is not packed yet. Raises what `extract-features` raises."""
        from asdcli.pipeline.steps import extract_features

        begin("extract-features")
        outcomes = [
            extract_features.run(
                self.space(site),
                features=kind,
                machine_types=list(self.machine_types) or None,
                channel=self.channel,
                force=site.force,
                progress=progress,
            )
            for kind in self.kinds
        ]
        return any(outcome.status == "done" for outcome in outcomes)
