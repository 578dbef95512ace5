"""How people lay out their own recordings: folders, DCASE names or a manifest, read into one list of recordings."""

from __future__ import annotations

from asdcli.layouts.doubts import Asked, contradicted, refuse_doubtful, unread, with_doubts
from asdcli.layouts.folders import read_folders
from asdcli.layouts.groups import sizes, with_groups
from asdcli.layouts.manifest import existing, read_manifest
from asdcli.layouts.names import is_session, meanings
from asdcli.layouts.normals import machine_of, read_normals
from asdcli.layouts.recording import LeftOut, Recording
from asdcli.layouts.splits import assign_splits
from asdcli.layouts.tokens import Told
from asdcli.layouts.walk import find_audio

__all__ = [
    "Asked",
    "LeftOut",
    "Recording",
    "Told",
    "assign_splits",
    "contradicted",
    "existing",
    "find_audio",
    "is_session",
    "machine_of",
    "meanings",
    "read_folders",
    "read_manifest",
    "read_normals",
    "refuse_doubtful",
    "sizes",
    "unread",
    "with_doubts",
    "with_groups",
]
