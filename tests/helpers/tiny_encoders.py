"""Checkpoints of encoders with random weights and tiny configurations, as the library writes them."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from asdcli.models.encoders.ced import CED, DASHENG
from asdcli.models.encoders.eat import EAT, EatNetwork

SPEECH = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "conv_dim": (8, 8),
    "conv_kernel": (400, 3),
    "conv_stride": (320, 2),
    "num_feat_extract_layers": 2,
}
AST = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_length": 98,
    "num_mel_bins": 48,
}


def tiny(name: str, folder: Path, *, seed: int = 0, **changes: Any) -> torch.nn.Module:
    """The encoder `name` in evaluation mode, after it was written to `folder` (within a larger model, where published
    checkpoints are of one), with what it hears beside it."""
    import transformers as library

    library.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    if name == "beats":
        return _beats(folder, changes)
    if name == "eat":
        return _eat(folder, changes)
    if name in ("ced", "dasheng"):
        return _ced(name, folder, changes)
    whole, inner, extractor = _built(name, library, changes)
    whole.eval().save_pretrained(folder)
    if extractor is not None:
        extractor.save_pretrained(folder)
    return inner


def _beats(folder: Path, changes: dict[str, Any]) -> torch.nn.Module:
    """Written as the authors give theirs out: a pickle of its configuration and its tensors, and of no classifier."""
    from openbeats.beats_encoder import BeatsEncoder

    warnings.simplefilter("ignore", FutureWarning)  # of torch, about what the package calls
    config = {
        "input_patch_size": 16,
        "embed_dim": 8,
        "encoder_layers": 2,
        "encoder_embed_dim": 16,
        "encoder_ffn_embed_dim": 16,
        "encoder_attention_heads": 2,
        "conv_pos": 8,
        "conv_pos_groups": 2,
        "relative_position_embedding": True,
        "gru_rel_pos": True,
        "deep_norm": True,
        **changes,
    }
    model = BeatsEncoder(input_size=0, beats_config=config).eval()
    kept = {name: tensor for name, tensor in model.state_dict().items() if "_pad." not in name}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"cfg": config, "model": kept}, folder / "beats.pt")
    return model


def _eat(folder: Path, changes: dict[str, Any]) -> torch.nn.Module:
    """Named as on the hub, where the encoder is the `model` of a larger one."""
    config = {"model_type": "eat", "embed_dim": 16, "depth": 2, "num_heads": 2, "mlp_ratio": 2.0, "max_length": 64}
    config = {**config, "norm_eps": 1e-6, **changes}
    network = EatNetwork(EAT.settings(config)).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    weights = {f"model.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file({**weights, "model.head.bias": torch.zeros(3)}, folder / "model.safetensors")
    return network


def _ced(name: str, folder: Path, changes: dict[str, Any]) -> torch.nn.Module:
    """The authors' network, which is the same for both; written as they give it out, or as on the hub (CED)."""
    from dasheng.pretrained.pretrained import Dasheng

    of = CED if name == "ced" else DASHENG
    config = {"embed_dim": 16, "depth": 2, "num_heads": 2, **dict(of.usual), **changes}
    network = Dasheng(**config).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    network.init_bn[1].running_mean.fill_(-20.0)
    network.init_bn[1].running_var.fill_(90.0)
    folder.mkdir(parents=True, exist_ok=True)
    weights = network.state_dict()
    if name == "dasheng":
        torch.save({"model": weights, "config": config}, folder / "dasheng.pt")
        return network
    (folder / "config.json").write_text(json.dumps({"model_type": "ced", **config}))
    renamed = {f"encoder.{key.replace('init_bn.1.', 'init_bn.')}": w.contiguous() for key, w in weights.items()}
    save_file({**renamed, "outputlayer.1.bias": torch.zeros(3)}, folder / "model.safetensors")
    return network


def _built(name: str, library: Any, changes: dict[str, Any]) -> tuple[Any, Any, Any]:
    if name == "ast":
        whole = library.ASTForAudioClassification(library.ASTConfig(**{**AST, **changes}))
        kept = {"max_length": whole.config.max_length, "num_mel_bins": whole.config.num_mel_bins}
        return whole, whole.audio_spectrogram_transformer, library.ASTFeatureExtractor(**kept)
    if name == "clap":
        audio = {
            "spec_size": 256,
            "window_size": 4,
            "patch_embeds_hidden_size": 4,
            "depths": [1, 1, 1],
            "num_attention_heads": [2, 2, 2],
            "hidden_size": 16,
            **changes,
        }
        text = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
        whole = library.ClapModel(library.ClapConfig(text_config={**text, "vocab_size": 9}, audio_config=audio))
        fused = bool(changes.get("enable_fusion"))
        return whole, whole.audio_model, library.ClapFeatureExtractor(truncation="fusion" if fused else "rand_trunc")
    if name == "whisper":
        whole = library.WhisperForConditionalGeneration(
            library.WhisperConfig(
                d_model=16,
                encoder_layers=2,
                decoder_layers=1,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                encoder_ffn_dim=16,
                decoder_ffn_dim=16,
                vocab_size=9,
                pad_token_id=0,
                bos_token_id=1,
                eos_token_id=2,
                decoder_start_token_id=1,
                max_source_positions=50,
                num_mel_bins=16,
                **changes,
            )
        )
        return whole, whole.model.encoder, library.WhisperFeatureExtractor(feature_size=16, chunk_length=1)
    config, model = {
        "hubert": (library.HubertConfig, library.HubertModel),
        "wav2vec2": (library.Wav2Vec2Config, library.Wav2Vec2Model),
        "wavlm": (library.WavLMConfig, library.WavLMModel),
    }[name]
    whole = model(config(**{**SPEECH, **changes}))
    return whole, whole, library.Wav2Vec2FeatureExtractor(do_normalize=name != "wavlm")
