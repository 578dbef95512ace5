"""The encoder that a network goes on from: its checkpoint found, and held against what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdcli.features.ears import EARS
from asdcli.models.encoders import Config, require_layer
from asdcli.models.encoders.architectures import ARCHITECTURES
from asdcli.models.encoders.checkpoints import Checkpoint, named
from asdcli.models.encoders.start import STEADY, Start
from asdcli.models.networks import NETWORKS
from asdcli.models.networks.encoder import EncoderNetwork, check
from asdcli.models.poolings import POOLINGS
from asdcli.progress import Progress
from asdcli.spec.resolved import resolve


@dataclass(frozen=True, eq=False)
class FoundEncoder:
    """An encoder whose weights are not read yet.

    Attributes:
        model: its family.
        typed: its checkpoint, as it was named.
        checkpoint: what was found there.
        settings: of the encoder.
    """

    model: str
    typed: str
    checkpoint: Checkpoint
    settings: Config

    @classmethod
    def of(cls, network: str, progress: Progress) -> FoundEncoder | None:
        """That of a network, by its spelling; None for a network that begins anew.

        Raises:
            MissingArtifact, DownloadError: there is no such checkpoint. BadArtifact: it is of another model, or broken.
            UsageError: parameters that no encoder has, or a layer that this one has not.
        """
        resolved = resolve(NETWORKS, network, {})
        if not issubclass(resolved.cls, EncoderNetwork):
            return None
        values: Mapping[str, Any] = resolved.values
        check(**{name: values[name] for name in ("dims", "lora", "alpha") if name in values})
        POOLINGS.build(values.get("pool", "mean"))
        model, typed = values["model"], values["checkpoint"]
        checkpoint = Checkpoint.open(typed, progress)
        with named(typed):
            architecture = ARCHITECTURES[model]
            settings = architecture.settings(checkpoint.config)
            EARS[model].check(model, checkpoint.preprocessor)
            require_layer(model, architecture.n_layers(settings), values.get("layer"))
        return cls(model, typed, checkpoint, {**settings, **STEADY})

    @property
    def made_of(self) -> dict[str, str]:
        """Role -> digest of each file of the checkpoint."""
        return self.checkpoint.digests

    @property
    def files(self) -> list[Path]:
        """Those of the checkpoint."""
        return list(self.checkpoint.files.values())

    def start(self, sample_rate: int, progress: Progress) -> Start:
        """With its weights, for clips at a rate in Hz.

        Raises:
            BadArtifact: they are not those of such an encoder. AsdError: its library is not installed.
        """
        ear, preprocessor = EARS[self.model], self.checkpoint.preprocessor
        with named(self.typed):
            encoder = ARCHITECTURES[self.model].load(self.settings, self.checkpoint.weights())
        if not preprocessor and ear.is_preprocessed:
            told = f"{self.model} hears what it was published with"
            progress.note(f"{self.typed} has no preprocessor_config.json: {told}")
        facts = {
            "model": self.model,
            "settings": dict(self.settings),
            "preprocessor": dict(preprocessor),
            "made_of": self.made_of,
        }
        return Start(encoder, ear.front(self.settings, preprocessor, sample_rate), facts)
