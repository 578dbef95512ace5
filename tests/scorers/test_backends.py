"""Where neighbours are looked for, through the front door: the same files, and an absent device is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli.stages import score
from tests.bench.jobs import Shape, write_embeddings


def test_a_device_is_a_matter_of_speed(
    asd: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    from asdcli.scorers import candidates

    write_embeddings(tmp_path, Shape(machines=1, source=290, target=10, test=40, dims=8))
    monkeypatch.setattr(candidates, "MANY", 100)
    made = []
    for device, way in (("auto", None), ("cpu", None), ("mps", "torch:cpu")):
        if way:
            monkeypatch.setattr(score, "_device", lambda _, way=way: way)
        assert asd("score", "-m", "nn", "-m", "varmin", "--dataset", "bench", "--device", device, "--force") == 0
        made.append([path.read_bytes() for path in sorted((tmp_path / "runs/bench/scores").iterdir())])
    assert made[0] == made[1] == made[2] and len(made[0]) == 2
    monkeypatch.undo()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert (
        asd(
            "score",
            "-m",
            "nn",
            "--data",
            tmp_path / "data",
            "--run",
            tmp_path / "runs/bench",
            "--device",
            "cuda",
            "--force",
        )
        == 2
    )
    assert "use --device cpu or --device auto" in capsys.readouterr().err
