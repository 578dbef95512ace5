"""The thresholds of a run: one a method and machine type."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.views.scores import Scored


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of one thresholds.parquet: by method and machine type, one for both domains and all sections."""

    values: dict[tuple[str, str], float]
    header: Header

    @staticmethod
    def read(path: Path) -> Thresholds:
        """Raises MissingArtifact or BadArtifact when `path` holds no thresholds."""
        table, header = artifacts.read_table(path, artifacts.THRESHOLDS)
        keys = zip(table["method"].to_pylist(), table["machine_type"].to_pylist(), strict=True)
        return Thresholds(dict(zip(keys, table["threshold"].to_pylist(), strict=True)), header)

    def has(self, method: Scored) -> bool:
        return any(m == method.spelling for m, _ in self.values)

    def fitted_on(self, method: Scored) -> bool:
        """Whether they were fitted on exactly this score table."""
        return self.header.inputs.get(method.spelling) == method.header.content

    def of(self, method: Scored, machine_type: str) -> float | None:
        return self.values.get((method.spelling, machine_type))
