"""Crops of clips where they lie are those of clips on a device, and batches made ahead are those made in turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.features.ahead import one_ahead
from asdcli.features.bank import WaveformBank
from asdcli.features.banks import bank_of
from asdcli.features.mapped_bank import MappedBank

CPU = torch.device("cpu")


def clips_of(lengths: list[int], seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-32768, 32768, n, dtype=np.int16) for n in lengths]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(1, 200), st.integers(0, 10_000))
def test_crops_of_clips_where_they_lie_are_those_of_clips_end_to_end(lengths: list[int], n: int, seed: int) -> None:
    clips = clips_of(lengths, seed)
    flat = WaveformBank.of(clips, CPU)
    bank = MappedBank.of(clips, CPU)
    draw = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(clips), (9,), generator=draw)
    at = torch.rand(9, generator=draw, dtype=torch.float64)
    at[0], at[1] = 0.0, 1 - 1e-12
    assert torch.equal(bank.crop(chosen, n), flat.crop(chosen, n))
    assert torch.equal(bank.crop(chosen, n, at), flat.crop(chosen, n, at))
    assert len(bank) == len(flat) and torch.equal(bank.lengths, flat.lengths)
    assert all(torch.equal(bank.clip(i), flat.clip(i)) for i in range(len(clips)))


def test_clips_at_odd_addresses_and_of_files_that_nobody_may_write_are_cropped() -> None:
    clips = clips_of([50, 7], 0)
    raw = b"x" + clips[0].tobytes() + clips[1].tobytes()
    odd = [np.frombuffer(raw, np.int16, 50, 1), np.frombuffer(raw, np.int16, 7, 101)]
    assert not odd[0].flags.aligned and not odd[0].flags.writeable
    every = torch.arange(2)
    assert torch.equal(bank_of(odd, CPU).crop(every, 60), bank_of(clips, CPU).crop(every, 60))
    assert torch.equal(bank_of(odd, CPU).clip(1), torch.from_numpy(clips[1]))


def test_where_nothing_else_has_memory_clips_stay_where_they_are() -> None:
    clips = clips_of([10, 20], 0)
    bank = bank_of(clips, CPU)
    assert isinstance(bank, MappedBank) and all(a is b for a, b in zip(bank.clips, clips, strict=True))


# batches ahead


def test_batches_come_in_order_and_one_is_made_ahead_in_another_thread() -> None:
    made: list[int] = []
    where = set()

    def source() -> Iterator[int]:
        for i in range(5):
            made.append(i)
            where.add(threading.current_thread())
            yield i

    found = []
    for i in one_ahead(source()):
        found.append(i)
        assert len(made) <= i + 2
    assert found == made == [0, 1, 2, 3, 4]
    assert threading.current_thread() not in where
    assert list(one_ahead([])) == []


def test_an_error_in_the_making_comes_where_its_batch_was_due() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise KeyError("second")

    found = []
    with pytest.raises(KeyError, match="second"):
        for i in one_ahead(source()):
            found.append(i)
    assert found == [1]


def test_who_stops_asking_ends_the_thread() -> None:
    before = threading.active_count()
    batches = one_ahead(iter(range(100)))
    assert next(batches) == 0
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_the_thread_computes_by_itself_and_whoever_works_on_the_batches_keeps_theirs() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert list(one_ahead(torch.get_num_threads() for _ in range(3))) == [1, 1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
