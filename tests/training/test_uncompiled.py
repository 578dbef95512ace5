"""Optimizers without torch's compiler take the same steps, and a training does not import it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from asdcli.training.uncompiled import uncompiled

PROGRAM = """
import sys, torch
from asdcli.training.uncompiled import uncompiled
weight = torch.nn.Parameter(torch.ones(3))
optimizer = uncompiled(torch.optim.AdamW)([weight], lr=0.1)
for _ in range(2):
    optimizer.zero_grad()
    weight.square().sum().backward()
    optimizer.step()
optimizer.load_state_dict(optimizer.state_dict())
torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=9).step()
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adam])
def test_steps_and_what_is_kept_of_them_are_those_of_torch_to_the_bit(kind: type[torch.optim.Optimizer]) -> None:
    states = []
    for cls in (kind, uncompiled(kind)):
        draw = torch.Generator().manual_seed(0)
        weights = [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((5, 4), (4,))]
        optimizer = cls([{"params": weights[:1]}, {"params": weights[1:], "lr": 0.1}], lr=0.01, weight_decay=0.1)  # type: ignore[call-arg]
        for _ in range(3):
            optimizer.zero_grad()
            (weights[0] @ weights[1]).square().sum().backward()
            optimizer.step()
        states.append((weights, optimizer.state_dict()))
    (ours, ours_state), (theirs, theirs_state) = states
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert ours_state["param_groups"] == theirs_state["param_groups"]
    assert str(ours_state["state"]) == str(theirs_state["state"])


def test_nothing_of_the_compiler_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stderr
