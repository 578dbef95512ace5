"""Architectures of encoders by the name of their family."""

from __future__ import annotations

from asdcli.models.encoders import Architecture, beats, ced, eat, library

ARCHITECTURES: dict[str, Architecture] = {
    "ast": library.AST,
    "beats": beats.BEATS,
    "ced": ced.CED,
    "clap": library.CLAP,
    "dasheng": ced.DASHENG,
    "eat": eat.EAT,
    "hubert": library.HUBERT,
    "wav2vec2": library.WAV2VEC2,
    "wavlm": library.WAVLM,
    "whisper": library.WHISPER,
}
