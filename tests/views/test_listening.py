"""What is told of a recording when it is listened to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdcli.views.listening import listen
from asdcli.views.reading import Reading
from asdcli.vocabulary import BOTH


def test_of_two_channels_the_louder_one_tells_the_level_and_a_constant_one_is_dead(tmp_path: Path) -> None:
    square = np.tile(np.array([16384, -16384], np.int16), 500)
    for quiet, is_dead in ((square // 16, False), (np.full_like(square, 3), True)):
        soundfile.write(tmp_path / "a.wav", np.stack([quiet, square], axis=1), 16_000)
        heard = listen(tmp_path / "a.wav", Reading(channel=BOTH))
        assert heard.level == pytest.approx(20 * np.log10(0.5))
        assert (heard.n_rows, heard.is_dead, heard.odd.flat) == (2, is_dead, False)
        assert heard.odd.words == ("channel 0 is constant: every sample is 3" if is_dead else "")
