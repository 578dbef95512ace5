"""How near a training step comes to what the processor can multiply, and what takes the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.jobs import Result
from tests.bench.limits import Limit


def step(_folder: Path) -> Result:
    """A step of the dual-branch network on 64 ten-second clips, against the matmul rate of the same run."""
    alike = {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_WAIT_POLICY": "PASSIVE"}  # as asd has it
    command = [sys.executable, "-m", "tests.bench.step_profile"]
    done = subprocess.run(command, env=os.environ | alike, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    found = json.loads(done.stdout)
    fp32, bf16 = (found["formats"][name] for name in ("fp32", "bf16"))
    lines = [
        f"  {found['gflop']:.0f} GFLOP a step, {found['threads']} threads; of cores: what hardly changes beside others",
        f"{'format':>8}{'step':>9}{'of cores':>10}{'matmul a core':>18}{'share':>7}{'of cores':>10}"
        f"{'embedding a core':>19}",
    ]
    for name, of in found["formats"].items():
        lines.append(
            f"{name:>8}{of['step_s']:>7.2f} s{of['step_core_s']:>8.2f} s{of['gflop_per_core_s']:>10.0f} GFLOP/s"
            f"{of['share']:>7.0%}{of['share_of_cores']:>10.0%}{of['embed_per_core_s']:>12.0f} clips/s"
        )
    lines += [
        f"{name:>8}  " + ", ".join(f"{kind} {share:.0%}" for kind, share in of["kinds"].items())
        for name, of in found["formats"].items()
    ]
    lines.append(f"  embedding in bf16: {bf16['embed_per_core_s'] / fp32['embed_per_core_s']:.2f} times fp32")
    return Result(
        f"bf16 {bf16['share_of_cores']:.0%}, fp32 {fp32['share_of_cores']:.0%} of the limit",
        f"matmul {2 * bf16['gflop_per_core_s']:.0f}, {2 * fp32['gflop_per_core_s']:.0f} GFLOP/s",
        ">= 65 %, 75 %",
        lines=tuple(lines),
        seconds=bf16["step_s"],
        limit=Limit("matmul", bf16["share"] * bf16["step_s"]),
    )


ALL: list[Callable[[Path], Result]] = [step]
