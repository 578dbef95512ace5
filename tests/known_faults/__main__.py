"""`python -m tests.known_faults [N]`: how often `asd explain` names the band and the rate of known faults right.

N recordings of each fault and severity (of the factory's: and operating state); 20 by default, some minutes.
"""

from __future__ import annotations

import sys
from itertools import chain

from tests.known_faults.shares import of_factory, of_made_up


def main(n: int) -> None:
    for share in chain(of_made_up(n), of_factory(n)):
        print(share, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
