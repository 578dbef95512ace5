"""Encoders of the library transformers: one class, and a table of what tells them apart."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from asdcli.errors import AsdError, BadArtifact
from asdcli.models.encoders import Config, require_all

INSTALL = "install it beside asd: pip install 'asdcli[pretrained]'"

Layout = Callable[[torch.Tensor, Config, int | None], torch.Tensor]
"""What a layer gives, the settings, and which layer it was -> `(batch, n_times, n_bands, n_dims)`."""


def _sequence(states: torch.Tensor, _settings: Config, _layer: int | None) -> torch.Tensor:
    """(batch, n_times, n_dims): of no band."""
    return states[:, :, None]


def _ast_bands(settings: Config, _layer: int | None) -> int:
    """Patches may overlap."""
    return int((settings["num_mel_bins"] - settings["patch_size"]) // settings["frequency_stride"] + 1)


def _ast(states: torch.Tensor, settings: Config, layer: int | None) -> torch.Tensor:
    """Two tokens of no place, and then all times of the lowest band, of the next, …."""
    return states[:, 2:].unflatten(1, (_ast_bands(settings, layer), -1)).transpose(1, 2)


def _clap_bands(settings: Config, layer: int | None) -> int:
    """Half as many after each stage but the last, which does not halve."""
    stages = len(settings["depths"])
    return int(settings["num_mel_bins"] // settings["patch_stride"][0] >> min(layer or stages, stages - 1))


def _clap(states: torch.Tensor, settings: Config, layer: int | None) -> torch.Tensor:
    """An image whose rows are all bands of a piece of the window, then of the next piece, …."""
    pieces = settings["spec_size"] // settings["num_mel_bins"]
    image = states.unflatten(1, (pieces, _clap_bands(settings, layer), -1))
    return image.transpose(2, 3).flatten(1, 2)


def _clap_last(states: torch.Tensor, _settings: Config, _layer: int | None) -> torch.Tensor:
    """(batch, n_dims, n_bands, n_times)."""
    return states.permute(0, 3, 2, 1)


@dataclass(frozen=True)
class LibraryModel:
    """One of the library's models: an `Architecture`.

    Attributes:
        name: what it is called here.
        of: its class, `module.Class` below `transformers.models`.
        model_types: what `config.json` may call it.
        takes: the argument of its forward pass that the sound is.
        blocks: where they lie.
        layers: the setting that says how many they are, or lists them.
        layout: of what its blocks give.
        last: of what it gives at the end, where that is another.
        bands: how many, where it has any.
        prefix: of its weights within a larger model, where the library does not know that by itself.
        part: its own part of the configuration of a larger model.
        usual: settings that a configuration may be silent about.
    """

    name: str
    of: str
    model_types: tuple[str, ...]
    takes: str = "input_values"
    blocks: str = "encoder.layers"
    layers: str = "num_hidden_layers"
    layout: Layout = _sequence
    last: Layout | None = None
    bands: Callable[[Config, int | None], int] | None = None
    prefix: str = ""
    part: str = ""
    usual: Config = field(default_factory=lambda: {"num_hidden_layers": 12})

    @property
    def has_bands(self) -> bool:
        return self.bands is not None

    def settings(self, config: Config) -> Config:
        called = config.get("model_type")
        if called not in self.model_types:
            others = [model.name for model in MODELS if called in model.model_types]
            hint = f"take --embedder {others[0]}:checkpoint=…" if others else f"name a checkpoint of {self.name}"
            raise BadArtifact(f"the checkpoint's config.json is of {called or 'no model'}, not of {self.name}", hint)
        return {**self.usual, **config.get(self.part, config)}

    def n_layers(self, settings: Config) -> int:
        layers = settings[self.layers]
        return len(layers) if isinstance(layers, list | tuple) else int(layers)

    def n_bands(self, settings: Config, layer: int | None) -> int | None:
        return self.bands(settings, layer) if self.bands else None

    def load(self, settings: Config, weights: Mapping[str, torch.Tensor]) -> LibraryEncoder:
        cls = self._class()
        config = cls.config_class.from_dict(dict(settings))
        own = _own(weights, self.prefix)
        try:
            model, found = cls.from_pretrained(
                None, config=config, state_dict=own, output_loading_info=True, dtype=torch.float32
            )
        except (RuntimeError, ValueError):
            raise BadArtifact(
                f"the checkpoint does not fit its config.json: its weights are of another size than {self.name}'s",
                "name a checkpoint whose config.json belongs to it",
            ) from None
        require_all(self.name, list(found["missing_keys"]), list(found["unexpected_keys"]))
        return LibraryEncoder(self, model.eval(), settings)

    def _class(self) -> Any:
        module, _, attribute = self.of.partition(".")
        try:
            library = importlib.import_module("transformers")
            library.utils.logging.set_verbosity(library.utils.logging.CRITICAL)
            library.utils.logging.disable_progress_bar()  # nobody but the command line prints
            return getattr(importlib.import_module(f"transformers.models.{module}.modeling_{module}"), attribute)
        except ImportError as error:
            what = (error.name or "transformers").partition(".")[0]
            lacking = "is not installed" if what == "transformers" else f"lacks {what}"
            raise AsdError(f"{self.name} is an encoder of the library transformers, which {lacking}", INSTALL) from None


class LibraryEncoder:
    """A model of the library: an `Encoder`. No code but the library's own is run, whatever a configuration asks for."""

    def __init__(self, of: LibraryModel, model: torch.nn.Module, settings: Config) -> None:
        self.model, self._of, self._settings = model, of, settings

    @property
    def module(self) -> torch.nn.Module:
        return self.model

    @property
    def blocks(self) -> Sequence[torch.nn.Module]:
        found: Any = self.model.get_submodule(self._of.blocks)
        return list(found)

    def to(self, device: torch.device) -> LibraryEncoder:
        self.model.to(device)
        return self

    def tokens(self, sound: torch.Tensor, layer: int | None) -> torch.Tensor:
        if layer is None:
            layout = self._of.last or self._of.layout
            return layout(self._forward(sound), self._settings, None)
        kept: list[torch.Tensor] = []

        def keep(_module: Any, _given: Any, output: Any) -> None:
            kept.append(output[0] if isinstance(output, tuple) else output)

        handle = self.blocks[layer - 1].register_forward_hook(keep)
        try:
            self._forward(sound)
        finally:
            handle.remove()
        return self._of.layout(kept[0], self._settings, layer)

    def _forward(self, sound: torch.Tensor) -> torch.Tensor:
        given: dict[str, Any] = {self._of.takes: sound}
        if self._settings.get("enable_fusion"):  # no window is longer than the model takes
            given["is_longer"] = torch.zeros((len(sound), 1), dtype=torch.bool, device=sound.device)
        out: torch.Tensor = self.model(**given).last_hidden_state
        return out


def _own(weights: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The weights of the encoder within those of a larger model; all where it is no larger one."""
    starts = (prefix, f"model.{prefix}") if prefix else ()
    inner = {key.partition(prefix)[2]: weight for key, weight in weights.items() if key.startswith(starts)}
    return inner or dict(weights)


AST = LibraryModel(
    "ast",
    "audio_spectrogram_transformer.ASTModel",
    ("audio-spectrogram-transformer",),
    blocks="layers",
    layout=_ast,
    bands=_ast_bands,
    usual={"num_hidden_layers": 12, "num_mel_bins": 128, "patch_size": 16, "frequency_stride": 10, "max_length": 1024},
)
CLAP = LibraryModel(
    "clap",
    "clap.ClapAudioModel",
    ("clap", "clap_audio_model"),
    takes="input_features",
    blocks="audio_encoder.layers",
    layers="depths",
    layout=_clap,
    last=_clap_last,
    bands=_clap_bands,
    prefix="audio_model.",
    part="audio_config",
    usual={
        "depths": [2, 2, 6, 2],
        "num_mel_bins": 64,
        "spec_size": 256,
        "patch_stride": [4, 4],
        "enable_fusion": False,
    },
)
HUBERT = LibraryModel("hubert", "hubert.HubertModel", ("hubert",))
WAV2VEC2 = LibraryModel("wav2vec2", "wav2vec2.Wav2Vec2Model", ("wav2vec2",))
WAVLM = LibraryModel("wavlm", "wavlm.WavLMModel", ("wavlm",))
WHISPER = LibraryModel(
    "whisper",
    "whisper.WhisperEncoder",
    ("whisper",),
    takes="input_features",
    blocks="layers",
    layers="encoder_layers",
    prefix="encoder.",
    usual={"encoder_layers": 4, "num_mel_bins": 80, "max_source_positions": 1500},
)
MODELS = (AST, CLAP, HUBERT, WAV2VEC2, WAVLM, WHISPER)
