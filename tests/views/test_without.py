"""Embeddings as if some training clips had been none: what was standardised with them is standardised without them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.embedders.logmel import LogMel
from asdcli.features.pack import VectorPack
from asdcli.views.embeddings import STANDARDISED, Embedded
from asdcli.views.units import UnitPlan, plan_units
from asdcli.views.unseen import left_out
from asdcli.vocabulary import Unit

N, TEST = 24, 200


def embedded(statistics: np.ndarray, is_train: np.ndarray, *, standardised: bool = True) -> Embedded:
    """Log-mel statistics (n_clips, n) of one machine, embedded with these training clips, in twelve groups."""
    n = len(statistics)
    pack = VectorPack(statistics.astype(np.float32), np.array([f"{i:03d}" for i in range(n)]))
    vectors = LogMel().embed(pack, is_train).vectors
    columns = {
        "clip_id": [f"{i:03d}" for i in range(n)],
        "machine_type": ["fan"] * n,
        "section": ["00"] * n,
        "split": ["train" if i < N else "test" for i in range(n)],
        "domain": ["source"] * n,
        "condition": ["normal"] * n,
        "group": [f"g{i // 2}" if i < N else None for i in range(n)],
        "seen": [False] * n,
    }
    header = artifacts.Header.make(
        artifacts.EMBEDDINGS, dataset="d", diagnostics={STANDARDISED: True} if standardised else {}
    )
    return Embedded(pa.table(columns), vectors, np.arange(n), np.zeros(n, np.int32), header)


def drawn(n_dims: int = 40) -> tuple[np.ndarray, np.ndarray]:
    statistics = np.random.default_rng(0).normal(20, 3, size=(N + TEST, n_dims))
    statistics[:, 0] = 7  # a band that is the same in all
    return statistics, np.arange(N + TEST) < N


def plan(of: Embedded) -> UnitPlan:
    return plan_units(of, Unit.MACHINE_TYPE)[0][0]


def test_it_is_what_the_embedder_makes_of_the_other_training_clips() -> None:
    statistics, is_train = drawn()
    out = np.array([3, 4, 9])
    rest = is_train.copy()
    rest[out] = False
    mine = embedded(statistics, is_train).without(out).vectors
    np.testing.assert_allclose(mine, embedded(statistics, rest).vectors, atol=2e-5)


def test_vectors_that_nobody_standardised_stay_as_they_are() -> None:
    of = embedded(*drawn(), standardised=False)
    assert of.without(np.array([1])) is of


def test_a_dimension_that_hardly_differs_is_not_blown_up() -> None:
    statistics, is_train = drawn()
    statistics[:, 0] += np.where(np.arange(len(statistics)) % 2, 1e-3, -1e-3)
    assert np.abs(embedded(statistics, is_train).without(np.array([0, 1])).vectors[:, 0]).max() < 1


def test_few_normal_recordings_promise_no_fewer_false_alarms_than_there_are() -> None:
    """Of 24, standardised with themselves in it, one in ten promised became one in four."""

    def alarms(standardised: bool, seed: int) -> float:
        statistics = np.random.default_rng(seed).normal(size=(N + TEST, 256))
        of = embedded(statistics, np.arange(N + TEST) < N, standardised=standardised)
        known = np.concatenate(
            [1 - (unseen.windows.x @ unseen.unit.train.x.T).max(axis=1) for _, unseen in left_out(of, plan(of), seed=0)]
        )
        unit = of.vectors / np.linalg.norm(of.vectors, axis=1, keepdims=True)
        new = 1 - (unit[N:] @ unit[:N].T).max(axis=1)
        p = (1 + (known[None] >= new[:, None]).sum(axis=1)) / (1 + len(known))
        return float((p <= 0.1).mean())

    seeds = range(12)
    assert np.mean([alarms(False, seed) for seed in seeds]) > 0.15
    assert np.mean([alarms(True, seed) for seed in seeds]) < 0.1
