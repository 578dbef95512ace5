"""The models that were cross-fitted beside a model: each was trained without one fold of the groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from asdcli import artifacts
from asdcli.errors import BadArtifact
from asdcli.files import fold_folder


def folds_of(folder: Path) -> dict[Path, artifacts.Header]:
    """The models that were cross-fitted beside the model in `folder`: where each lies, and its header; none of most.

    Raises:
        MissingArtifact, BadArtifact: no model in `folder`, or one of its folds is not there or not of this model.
    """
    header = artifacts.read_header(folder, artifacts.MODEL)
    found = {}
    for fold in range(1, 1 + header.n_folds):
        path = fold_folder(folder, fold)
        found[path] = artifacts.read_header(path, artifacts.MODEL)
        if found[path].params != of_fold(header, fold).params or found[path].seed != header.seed:
            raise BadArtifact(f"{path} is no fold of the model in {folder}", "train again: asd train --force", path)
    return found


def fold_inputs(folds: Mapping[Path, artifacts.Header]) -> dict[str, artifacts.Header]:
    """Folds as inputs of what is made by them: `model/fold-1` and so on, for an autoencoder, too."""
    return {f"model/{path.name}": header for path, header in folds.items()}


def of_fold(header: artifacts.Header, fold: int) -> artifacts.Header:
    """The header of the model that was trained without a fold beside the model of this header."""
    return dataclasses.replace(header, params={**header.params, "fold": fold})
