"""Pretrained encoders as embedders: what they give is what their library gives, and what does not fit is refused."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch

from asdcli.embedders import EMBEDDERS
from asdcli.embedders.pretrained import Frozen, Pretrained
from asdcli.errors import AsdError, BadArtifact, UsageError
from asdcli.features.pack import WaveformPack
from asdcli.models.encoders.architectures import ARCHITECTURES
from asdcli.models.encoders.beats import BeatsEncoder
from asdcli.progress import SILENT
from tests.helpers.tiny_encoders import tiny
from tests.models.test_checkpoints import Notes
from tests.reference_values import CPU, both, sounds

pytest.importorskip("transformers")
pytest.importorskip("openbeats")
pytest.importorskip("dasheng")
N_SAMPLES = 400 + 97 * 160  # of a window of the tiny AST


def ready(spelling: str, batch_size: int = 4) -> Frozen:
    return EMBEDDERS.build(spelling).found(SILENT).loaded(CPU, batch_size, SILENT)


def vectors(spelling: str, pack: WaveformPack, batch_size: int = 4) -> np.ndarray:
    return ready(spelling, batch_size).embed(pack, np.ones(len(pack), bool)).vectors


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def ast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ast")
    tiny("ast", folder)
    return folder


def test_the_table_the_parameter_and_the_names_are_of_the_same_families() -> None:
    assert list(ARCHITECTURES) == list(get_args(get_type_hints(Pretrained)["model"])) == list(EMBEDDERS.short)


@pytest.mark.parametrize("layer", ["", ",layer=1"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_gives_what_the_library_gives_of_the_same_weights(name: str, layer: str, tmp_path: Path) -> None:
    tiny(name, tmp_path)
    ours, library = both(f"{name}:checkpoint={tmp_path}{layer}", n_clips=2)
    np.testing.assert_allclose(ours, library, atol=1e-5)  # float32 sums in another order
    assert np.abs(ours[0] - ours[1]).max() > 1e-4


def test_a_cpu_takes_a_few_windows_at_once_and_gives_what_they_give_one_by_one(
    ast: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack, sizes = sounds(N_SAMPLES, 16_000, n_clips=6), []
    heard = Frozen._tokens
    monkeypatch.setattr(Frozen, "_tokens", lambda self, waves: (sizes.append(len(waves)), heard(self, waves))[1])
    whole = vectors(f"ast:checkpoint={ast}", pack, batch_size=64)
    assert sizes == [4, 2]
    np.testing.assert_allclose(whole, vectors(f"ast:checkpoint={ast}", pack, batch_size=1), atol=1e-6)
    assert sizes[2:] == [1] * 6


@pytest.mark.parametrize(
    ("name", "changes"), [("clap", {"enable_fusion": True}), ("hubert", {"feat_extract_norm": "layer"})]
)
def test_variants_of_a_family_too(name: str, changes: dict[str, object], tmp_path: Path) -> None:
    tiny(name, tmp_path, **changes)
    np.testing.assert_allclose(*both(f"{name}:checkpoint={tmp_path}"), atol=1e-5)


@pytest.mark.parametrize("name", ["ast", "beats", "ced", "clap", "dasheng", "eat"])
@pytest.mark.parametrize("layer", ["", ",layer=1", ",layer=2"])
def test_the_mean_over_kept_bands_is_the_mean_over_all_places(name: str, layer: str, tmp_path: Path) -> None:
    tiny(name, tmp_path)
    spelling = f"{name}:checkpoint={tmp_path}{layer}"
    found = EMBEDDERS.build(f"{spelling},keep=bands").found(SILENT)
    pack = sounds(found.ear.n_samples(found.settings), found.ear.sample_rate)
    kept = found.loaded(CPU, 4, SILENT).embed(pack, np.zeros(1, bool)).vectors[0]
    layout = found.bands(len(kept))
    assert sorted(layout.ravel()) == list(range(len(kept)))
    np.testing.assert_allclose(kept[layout].mean(axis=0), vectors(spelling, pack)[0], atol=1e-5)
    assert EMBEDDERS.build(spelling).found(SILENT).bands(len(kept)) is None


def test_the_bands_of_ast_are_of_low_frequencies_first(tmp_path: Path) -> None:
    model = tiny("ast", tmp_path)
    architecture = ARCHITECTURES["ast"]
    encoder = architecture.load(architecture.settings(model.config.to_dict()), model.state_dict())
    for parameter in encoder.model.layers[0].parameters():
        parameter.data.zero_()  # nothing is left of the first block but the path around it: patches see only themselves
    quiet = torch.zeros(1, 98, 48)
    low = quiet.clone()
    low[..., :4] = 1.0
    with torch.inference_mode():
        differs = (encoder.tokens(low, 1) - encoder.tokens(quiet, 1)).abs().amax(dim=(0, 1, 3))
    assert differs[0] > 1e-3
    assert (differs[1:] < 1e-6).all()


def test_the_bands_of_beats_lie_as_its_patches_do(tmp_path: Path) -> None:
    """Patches before any attention, laid out as the tokens after it: the first band alone sees a low sound."""
    model = tiny("beats", tmp_path)
    encoder = BeatsEncoder(model, 8)
    for block in model.encoder.layers:
        block.forward = lambda x, **_: (x, None, None)  # nothing but what patches say by themselves
    model.encoder.pos_conv = torch.nn.Identity()
    quiet = torch.zeros(1, 64, 128)
    low = quiet.clone()
    low[..., :4] = 1000.0
    with torch.inference_mode():
        differs = (encoder.tokens(low, 1) - encoder.tokens(quiet, 1)).abs()
    assert differs.shape == (1, 4, 8, 16)
    assert differs[:, :, 0].amax() > 1e-3
    assert differs[:, :, 1:].amax() < 1e-6


def test_a_block_of_eat_that_norms_first_is_that_of_timm(tmp_path: Path) -> None:
    from timm.models.vision_transformer import Block

    block = tiny("eat", tmp_path, layer_norm_first=True, mlp_ratio=4.0).blocks[0]
    theirs = Block(16, 2, mlp_ratio=4.0, qkv_bias=True, norm_layer=partial(torch.nn.LayerNorm, eps=1e-6)).eval()
    theirs.load_state_dict(block.state_dict())
    x = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(block(x), theirs(x))


def test_the_bands_of_ced_are_of_low_frequencies_first(tmp_path: Path) -> None:
    tiny("ced", tmp_path)
    embedder = ready(f"ced:checkpoint={tmp_path},layer=1")
    for parameter in embedder.encoder.module.blocks.parameters():
        parameter.data.zero_()  # patches see only themselves
    quiet = torch.zeros(1, 64, 1001)
    low = quiet.clone()
    low[:, :4] = 9.0
    with torch.inference_mode():
        differs = (embedder.encoder.tokens(low, 1) - embedder.encoder.tokens(quiet, 1)).abs()
    assert differs.shape == (1, 62, 4, 16)
    assert differs[:, :, 0].amin(dim=1).amax() > 1e-3
    assert differs[:, :, 1:].amax() < 1e-6


@pytest.mark.parametrize(
    ("name", "changes", "n_samples"),
    [
        ("ced", {"target_length": 512}, 511 * 160),
        ("dasheng", {"target_length": 512}, 511 * 160),
        ("eat", {"max_length": 8}, 400 + 127 * 160),
    ],
)
def test_windows_are_no_longer_than_the_positions_reach(
    name: str, changes: dict[str, object], n_samples: int, tmp_path: Path
) -> None:
    tiny(name, tmp_path, **changes)
    found = EMBEDDERS.build(f"{name}:checkpoint={tmp_path}").found(SILENT)
    assert found.ear.n_samples(found.settings) == n_samples
    np.testing.assert_allclose(*both(f"{name}:checkpoint={tmp_path}"), atol=1e-5)


@pytest.mark.parametrize(("name", "changes"), [("ced", {"patch_stride": 8}), ("eat", {"stride": 8})])
def test_patches_that_overlap_are_refused(name: str, changes: dict[str, object], tmp_path: Path) -> None:
    tiny(name, tmp_path)
    changed(tmp_path, "config.json", **changes)
    with pytest.raises(BadArtifact, match=f"patches are .*16.* wide and .*8.* apart: those of {name} lie side by side"):
        EMBEDDERS.build(f"{name}:checkpoint={tmp_path}").found(SILENT)


def test_what_is_not_ced_is_refused(ast: Path, tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="of audio-spectrogram-transformer, not of ced"):
        EMBEDDERS.build(f"ced:checkpoint={ast}").found(SILENT)
    torch.save(tiny("dasheng", tmp_path).state_dict(), tmp_path / "bare.pt")
    with pytest.raises(BadArtifact, match="does not say how dasheng is built") as error:
        EMBEDDERS.build(f"dasheng:checkpoint={tmp_path / 'bare.pt'}").found(SILENT)
    assert "config.json" in str(error.value.hint)
    (tmp_path / "config.json").write_text('{"embed_dim": 32}')
    with pytest.raises(BadArtifact, match="of another size than dasheng's"):
        ready(f"dasheng:checkpoint={tmp_path / 'bare.pt'}")


def test_a_checkpoint_of_another_model_than_eat_is_refused(ast: Path, tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="of audio-spectrogram-transformer, not of eat"):
        EMBEDDERS.build(f"eat:checkpoint={ast}").found(SILENT)
    tiny("eat", tmp_path)
    changed(tmp_path, "config.json", depth=3)
    with pytest.raises(BadArtifact, match=r"not one of eat: it lacks 12 weights, such as blocks.2"):
        ready(f"eat:checkpoint={tmp_path}")
    changed(tmp_path, "config.json", depth=2, mlp_ratio=3.0)
    with pytest.raises(BadArtifact, match="of another size than eat's"):
        ready(f"eat:checkpoint={tmp_path}")


def test_a_pickle_of_beats_without_its_configuration_is_refused(tmp_path: Path) -> None:
    torch.save(tiny("beats", tmp_path).state_dict(), tmp_path / "bare.pt")
    with pytest.raises(BadArtifact, match="does not say how BEATs is built: it has no encoder_layers"):
        EMBEDDERS.build(f"beats:checkpoint={tmp_path / 'bare.pt'}").found(SILENT)
    with pytest.raises(BadArtifact, match=r"config.json is of no model, not of ast"):
        EMBEDDERS.build(f"ast:checkpoint={tmp_path / 'beats.pt'}").found(SILENT)


def test_the_bands_of_clap_lie_as_the_library_lays_them(tmp_path: Path) -> None:
    """What a stage gives is an image; what the model gives at its end the library has put in order itself."""
    model = tiny("clap", tmp_path)
    architecture = ARCHITECTURES["clap"]
    encoder = architecture.load(architecture.settings(model.config.to_dict()), model.state_dict())
    sound = torch.randn(1, 1, 1001, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        last_stage = encoder.model.audio_encoder.norm(encoder.tokens(sound, 3))
        torch.testing.assert_close(last_stage, encoder.tokens(sound, None))


def test_a_longer_clip_has_the_mean_of_its_windows_and_a_shorter_one_is_repeated(ast: Path) -> None:
    spelling = f"ast:checkpoint={ast}"
    long = sounds(2 * N_SAMPLES + 500, 16_000).samples
    windows = [long[:N_SAMPLES], long[N_SAMPLES : 2 * N_SAMPLES], long[-N_SAMPLES:]]
    short = long[:5000]
    pack = WaveformPack.of([long, short], ["long", "short"], 16_000)
    apart = WaveformPack.of([*windows, np.resize(short, N_SAMPLES)], list("abcd"), 16_000)
    got, want = vectors(spelling, pack), vectors(spelling, apart)
    np.testing.assert_allclose(got, [want[:3].mean(axis=0), want[3]], atol=1e-6)


def test_a_block_of_a_pack_is_embedded_alike_elsewhere(ast: Path) -> None:
    spelling, pack = f"ast:checkpoint={ast},pool=rdp,gamma=2", sounds(N_SAMPLES + 9, 16_000, 5)
    whole = vectors(spelling, pack, 2)
    parts = [vectors(spelling, pack.part(start, stop), 2) for start, stop in ((0, 2), (2, 4), (4, 5))]
    assert np.array_equal(whole, np.concatenate(parts))


def test_clips_are_brought_to_the_rate_of_the_encoder(ast: Path) -> None:
    time = np.arange(2 * N_SAMPLES) / 32_000
    tone = (8000 * np.sin(2 * np.pi * 700 * time)).astype(np.int16)
    pair = [WaveformPack.of([tone], ["c"], 32_000), WaveformPack.of([tone[::2]], ["c"], 16_000)]
    one, other = (vectors(f"ast:checkpoint={ast}", pack)[0] for pack in pair)
    assert np.abs(one - other).max() < 0.05 * np.abs(one).max()


def test_bf16_is_near_fp32_and_is_not_it(ast: Path) -> None:
    pack = sounds(N_SAMPLES, 16_000)
    exact, rough = (vectors(f"ast:checkpoint={ast}{more}", pack) for more in ("", ",precision=bf16"))
    assert 0 < np.abs(exact - rough).max() < 0.05


def test_a_spelling_is_short_for_the_whole(ast: Path) -> None:
    spelled = EMBEDDERS.spell(EMBEDDERS.build(f"ast:checkpoint={ast},pool=gem:p=2,layer=2"))
    assert spelled == f"pretrained:model=ast,checkpoint={ast},layer=2,pool=gem,p=2.0"


@pytest.mark.parametrize(
    ("more", "message", "hint"),
    [
        (",layer=99", "layer=99: this ast has the layers 1 to 3", "layer=3"),
        (",layer=0", "layer=0: this ast", "layer=3"),
        (",pool=median", "unknown pooling 'median'", "known: attentive, gem"),
    ],
)
def test_what_the_encoder_has_not_is_refused(ast: Path, more: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        EMBEDDERS.build(f"ast:checkpoint={ast}{more}").found(SILENT)
    assert hint in str(error.value.hint)


def test_a_checkpoint_has_to_be_named() -> None:
    with pytest.raises(UsageError, match="embedder 'ast' needs checkpoint") as error:
        EMBEDDERS.build("ast:layer=2")
    assert error.value.hint == "write ast:layer=2,checkpoint=…"


def test_bands_of_an_encoder_of_waveforms_are_refused(tmp_path: Path) -> None:
    tiny("hubert", tmp_path)
    with pytest.raises(UsageError, match="keep=bands: hubert has no bands") as error:
        EMBEDDERS.build(f"hubert:checkpoint={tmp_path},keep=bands").found(SILENT)
    assert str(error.value.hint).endswith("ast, beats, ced, clap, dasheng, eat")


def changed(folder: Path, file: str, **values: object) -> None:
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    tiny("hubert", tmp_path)
    with pytest.raises(BadArtifact, match=r"config.json is of hubert, not of ast") as error:
        EMBEDDERS.build(f"ast:checkpoint={tmp_path}").found(SILENT)
    assert error.value.hint == "take --embedder hubert:checkpoint=…"
    changed(tmp_path, "config.json", model_type="audio-spectrogram-transformer")
    with pytest.raises(BadArtifact, match=r"not one of ast: it lacks \d+ weights"):
        ready(f"ast:checkpoint={tmp_path}")


def test_a_configuration_of_another_size_is_refused(tmp_path: Path) -> None:
    tiny("ast", tmp_path)
    changed(tmp_path, "config.json", hidden_size=32)
    with pytest.raises(BadArtifact, match="of another size than ast's"):
        ready(f"ast:checkpoint={tmp_path}")


def test_a_checkpoint_for_another_rate_is_refused(tmp_path: Path) -> None:
    tiny("ast", tmp_path)
    changed(tmp_path, "preprocessor_config.json", sampling_rate=8000)
    with pytest.raises(BadArtifact, match="is for 8000 Hz, and ast hears 16000 Hz"):
        EMBEDDERS.build(f"ast:checkpoint={tmp_path}").found(SILENT)


def test_a_checkpoint_that_does_not_say_what_it_hears_is_told_of(tmp_path: Path) -> None:
    tiny("ast", tmp_path)
    pack, said = sounds(N_SAMPLES, 16_000), Notes()
    want = vectors(f"ast:checkpoint={tmp_path}", pack)
    (tmp_path / "preprocessor_config.json").unlink()
    got = EMBEDDERS.build(f"ast:checkpoint={tmp_path}").found(said).loaded(CPU, 4, said)
    assert np.array_equal(got.embed(pack, np.zeros(1, bool)).vectors, want)
    assert said.said == [f"{tmp_path} has no preprocessor_config.json: ast hears what it was published with"]


def test_without_the_library_its_extra_is_named(ast: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = EMBEDDERS.build(f"ast:checkpoint={ast}").found(SILENT)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        AsdError, match="ast is an encoder of the library transformers, which is not installed"
    ) as error:
        found.loaded(CPU, 4, SILENT)
    assert error.value.hint == "install it beside asd: pip install 'asdcli[pretrained]'"
