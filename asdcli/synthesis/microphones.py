"""Two microphones, as in DCASE 2026: one near the machine, and one far from it that hears little but the hall.

The hall reaches each microphone by a room of its own, so the one is no scaled copy of the other; the machine leaks into
the far one; and each microphone adds a noise that the other has not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asdcli.synthesis.acoustics import hear, path
from asdcli.synthesis.plan import PlannedClip
from asdcli.synthesis.render import LEVEL, int16, parts
from asdcli.synthesis.seeds import generator
from asdcli.synthesis.signals import Array

LOUDER_DB = 14.0
"""How much louder the hall is than where one microphone records."""
LEAK_DB = -15.0
"""The machine at the far microphone, beside the near one."""
OWN_DB = -30.0
"""The noise of each microphone itself, beside the machine at its reference setting."""


def render_two(clip: PlannedClip, n: int, seed: int) -> NDArray[np.int16]:
    """The samples of `clip`, shape `(n, 2)` at 16 kHz, near and far, a function of its path, its plan and `seed`."""
    return int16(np.stack([of.sum(axis=0) for of in heard(clip, n, seed)], axis=1))


def heard(clip: PlannedClip, n: int, seed: int) -> tuple[Array, Array]:
    """What the near and the far microphone hear of machine, hall and themselves, each `(3, n)`, full scale = 1."""
    machine, hall = parts(clip, n, seed)
    hall = hall * 10 ** (LOUDER_DB / 20)
    own = generator("microphones", seed, str(clip.path)).standard_normal((2, n)) * LEVEL * 10 ** (OWN_DB / 20)
    to_near, to_far, leak = (path(clip.machine_type, clip.section + way, "1", n) for way in ("hall", "far", "leak"))
    near = np.stack([machine, hear(hall, to_near), own[0]])
    far = np.stack([hear(machine, leak) * 10 ** (LEAK_DB / 20), hear(hall, to_far), own[1]])
    return near, far
