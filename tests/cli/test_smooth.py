"""What `asd smooth` shows."""

from __future__ import annotations

import pytest

from asdcli.cli import smooth


def test_a_machine_type_without_a_figure_has_an_empty_cell(capsys: pytest.CaptureFixture[str]) -> None:
    def row(machine_type: str, method: str, mean: float) -> dict:
        return {"fraction": 0.5, "method": method, "machine_type": machine_type, "mean": mean, "std": 0.01}

    smooth._show([row("fan", "nn", 0.5), row("pump", "nn", 0.75), row("fan", "gmm", 0.25)])
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if "nn" in line).count("±") == 2
    assert next(line for line in lines if "gmm" in line).count("±") == 1
