"""Feature packs: what of them a training depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdcli.artifacts import FEATURES, Header
from asdcli.views.packs import TRAINING, Packs


@pytest.mark.parametrize(
    ("training", "depends_on"),
    [({}, "whole"), ({TRAINING: "part"}, "part"), ({TRAINING: 3}, "whole"), ({TRAINING: ""}, "whole")],
)
def test_a_training_depends_on_the_whole_pack_where_no_digest_of_its_part_is_told(
    training: dict, depends_on: str
) -> None:
    header = Header.make(FEATURES, dataset="d", diagnostics=training).with_content("whole")
    packs = Packs("waveform", Path("features"), {"fan": header})
    assert packs.training_inputs["features/waveform/fan"].content == depends_on
