"""What is settled once for a process: threads (memory is tested beside embedding, signals at the front door)."""

from __future__ import annotations

import subprocess
import sys

LATE = "from asdcli.pipeline import process; process.settle(threads=1); import numpy, torch"
EARLY = "import numpy, torch; from asdcli.pipeline import process; process.settle(threads=1)"
TELL = """
from threadpoolctl import threadpool_info
print(torch.get_num_threads(), *{i["num_threads"] for i in threadpool_info()})
"""


def test_threads_are_limited_whether_the_libraries_are_loaded_before_or_after() -> None:
    for order in (LATE, EARLY):
        done = subprocess.run([sys.executable, "-c", order + TELL], capture_output=True, text=True, check=True)
        assert set(done.stdout.split()) == {"1"}, order


def test_settling_without_words_leaves_threads_and_environment_alone() -> None:
    program = (
        "import os, torch; before = dict(os.environ), torch.get_num_threads();"
        "from asdcli.pipeline import process; process.settle();"
        "assert before == (dict(os.environ), torch.get_num_threads())"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
