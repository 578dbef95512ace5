"""What is settled once for a process: threads (memory is tested beside embedding, signals at the front door)."""

from __future__ import annotations

import os
import subprocess
import sys

LATE = "from asdcli.pipeline import process; process.settle(threads=1); import numpy, torch"
EARLY = "import numpy, torch; from asdcli.pipeline import process; process.settle(threads=1)"
WAITING = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}
TELL = """
from threadpoolctl import threadpool_info
print(torch.get_num_threads(), *{i["num_threads"] for i in threadpool_info()})
"""


def test_threads_are_limited_whether_the_libraries_are_loaded_before_or_after() -> None:
    for order in (LATE, EARLY):
        done = subprocess.run([sys.executable, "-c", order + TELL], capture_output=True, text=True, check=True)
        assert set(done.stdout.split()) == {"1"}, order


def test_threads_of_networks_wait_asleep_unless_the_user_says_how() -> None:
    program = (
        "import os; from asdcli.pipeline import process; process.settle(networks=True);"
        "print(*sorted(f'{k}={v}' for k, v in os.environ.items() if 'OMP_WAIT' in k or 'SPIN' in k or 'BLOCK' in k))"
    )
    for said in ({}, {"GOMP_SPINCOUNT": "9"}, {"KMP_BLOCKTIME": "1"}, {"OMP_WAIT_POLICY": "ACTIVE"}):
        ours = {name: value for name, value in os.environ.items() if name not in WAITING}
        done = subprocess.run(
            [sys.executable, "-c", program], env=ours | said, capture_output=True, text=True, check=True
        )
        expected = [f"{name}={value}" for name, value in (said or {"OMP_WAIT_POLICY": "PASSIVE"}).items()]
        assert done.stdout.split() == expected


def test_settling_without_words_leaves_threads_and_environment_alone() -> None:
    program = (
        "import os, torch; before = dict(os.environ), torch.get_num_threads();"
        "from asdcli.pipeline import process; process.settle();"
        "assert before == (dict(os.environ), torch.get_num_threads())"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
