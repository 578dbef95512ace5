"""How people lay out their own recordings: folders, DCASE names or a manifest, read into one list of recordings."""

from __future__ import annotations

from asdcli.layouts.folders import read_folders
from asdcli.layouts.manifest import read_manifest
from asdcli.layouts.recording import LeftOut, Recording
from asdcli.layouts.splits import assign_splits
from asdcli.layouts.walk import find_audio

__all__ = ["LeftOut", "Recording", "assign_splits", "find_audio", "read_folders", "read_manifest"]
