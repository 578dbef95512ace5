"""The embeddings by models that were cross-fitted: each has not seen one fold of the training clips."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadArtifact
from asdcli.views.embeddings import Embedded, embedded_of

_AGAIN = "make them again: asd embed --force"


def beside(embeddings: Path) -> Path:
    """Where they lie beside a table of embeddings."""
    return embeddings.with_name(f"fold-{embeddings.stem}.parquet")


def header_beside(embeddings: Path, upstream: artifacts.Header) -> artifacts.Header | None:
    """The header of those beside a table of embeddings, whose own is `upstream`; None without a cross-fitted model.

    Raises:
        MissingArtifact: the model was cross-fitted, and they are not there.
        BadArtifact: they are there, and of another model.
    """
    path = beside(embeddings)
    if not path.exists():
        model = upstream.stage(artifacts.MODEL)
        if model and "folds" in model["params"] and "fold" not in model["params"]:
            artifacts.require(path, artifacts.FOLD_EMBEDDINGS)
        return None
    header = artifacts.read_table_header(path, artifacts.FOLD_EMBEDDINGS)
    if header.inputs.get("model") != upstream.inputs.get("model") or header.params != upstream.params:
        raise BadArtifact(f"{path} is not of the model of {embeddings.name}", _AGAIN, path)
    return header


def read_fold_embeddings(embeddings: Path, embedded: Embedded) -> list[Embedded]:
    """Fold by fold the same clips and windows as `embedded`, which `embeddings` holds, in the same order.

    Raises:
        BadArtifact: they are damaged, or of other clips.
    """
    path = beside(embeddings)
    table, header = artifacts.read_table(path, artifacts.FOLD_EMBEDDINGS)
    found = []
    for fold in sorted(pc.unique(table["fold"]).to_pylist()):
        one = embedded_of(table.filter(pc.equal(table["fold"], pa.scalar(fold, pa.int32()))), header)
        same = one.clips["clip_id"].equals(embedded.clips["clip_id"]) and len(one.clip) == len(embedded.clip)
        if not (same and (one.clip == embedded.clip).all()):
            raise BadArtifact(f"fold {fold} in {path} has other clips than {embeddings.name}", _AGAIN, path)
        found.append(one)
    return found
