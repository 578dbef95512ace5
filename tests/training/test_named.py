"""Named recipes: what they are short for, what is published of them, and `asd train --recipe`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, harmonic_mean

import pytest

from asdcli.errors import UsageError
from asdcli.models.networks import NETWORKS
from asdcli.scorers import SCORERS
from asdcli.spec.parameters import parameters_of
from asdcli.spec.resolved import resolve
from asdcli.training import MODELS
from asdcli.training.named import recipe, recipes
from tests.helpers import noise_run

PRINTED_MEANS = {  # harmonic and arithmetic mean over the ten scores of a row, printed beside them
    "adacos-fixed-plain": (64.12, 66.27),
    "adacos-fixed": (65.58, 67.54),
    "scac-fixed": (66.47, 68.30),
    "scac-trainable": (69.02, 70.53),
    "subspace": (68.46, 70.06),
    "featex": (68.93, 70.44),
    "multispec": (70.16, 71.66),
    "beats-lora": (70.76, 72.23),
    "eat-lora": (71.13, 72.55),
}
TUNED = ["beats-lora", "eat-lora"]


def test_the_scores_of_every_recipe_have_the_means_that_are_printed_beside_them() -> None:
    assert PRINTED_MEANS.keys() == recipes().keys()
    for name, means in PRINTED_MEANS.items():
        scores = [score.mean for score in recipe(name).scores.values()]
        assert len(scores) == 10
        assert (round(harmonic_mean(scores), 2), round(fmean(scores), 2)) == means


@pytest.mark.parametrize("name", PRINTED_MEANS)
def test_a_recipe_is_short_for_a_canonical_spelling_with_the_settings_of_the_source(name: str) -> None:
    known = recipe(name)
    assert MODELS.canonical(name) == MODELS.canonical(known.model) == known.model
    assert SCORERS.canonical(known.method) == known.method
    built = MODELS.build(name)
    usual = (25, 8, 1e-4, 0, 5000) if name in TUNED else (16, 64, 1e-3, 0, 0)
    assert (built.epochs, built.batch_size, built.lr, built.extra_classes, built.warmup) == usual
    assert built.mixup == (0.0 if name == "adacos-fixed-plain" else 0.5)
    assert (built.label_smoothing, built.mixing(recorded=False).probability) == (0, 0)


@pytest.mark.parametrize("name", PRINTED_MEANS)
def test_the_documentation_quotes_what_the_table_holds(name: str) -> None:
    known = recipe(name)
    page = Path(__file__).resolve().parents[2] / "docs" / "reproduce.md"
    (row,) = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |")]
    means = [f"{score.mean:.2f}" for score in known.scores.values()]
    assert known.printed in row and known.model.removeprefix("discriminative:") in row
    assert row.endswith(
        " | ".join(f"{dev} / {other}" for dev, other in zip(means[::2], means[1::2], strict=True)) + " |"
    )


@pytest.mark.parametrize("name", TUNED)
def test_a_recipe_that_goes_on_from_weights_says_from_which_and_as_the_source_does(name: str) -> None:
    known = recipe(name)
    of_model, params = NETWORKS.parse(MODELS.build(name).network)
    assert of_model == "encoder" and params["lora"] == "64" and known.weights
    network = resolve(NETWORKS, MODELS.build(name).network, {}).cls
    defaults = {key: p.default for key, p in parameters_of(network).items()}
    assert (defaults["alpha"], defaults["dims"], defaults["targets"]) == (8.0, 256, "qv")
    assert not any(recipe(other).weights for other in recipes() if other not in TUNED)


def test_an_unknown_recipe_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="unknown recipe 'multi-spec'") as error:
        recipe("multi-spec")
    assert "did you mean 'multispec'" in str(error.value.hint)


def test_train_takes_a_recipe_by_name_and_says_what_it_is(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise_run.write(tmp_path, n_train=5)
    where = ("--dataset", "noise", "--device", "cpu", "--epochs", 1, "--batch-size", 10)
    assert asd("train", "--recipe", "subspace", *where) == 0
    said = capsys.readouterr().err
    assert "recipe subspace is discriminative:loss=subspace,centers=fixed" in said
    assert "asd score -m smote:ratio=0.2,k=2" in said
    card = json.loads(Path("runs/noise/model/card.json").read_text())["card"]
    assert card["spec"] == "discriminative:loss=subspace,centers=fixed,epochs=1,batch_size=10"
    assert card["loss"] == "subspace:centers=fixed"
    assert asd("train", "--model", "discriminative:loss=subspace", *where) == 0
    assert "up to date" in "".join(capsys.readouterr())  # a name for the spelling, and nothing else
    assert asd("train", "--recipe", "subspace", "--model", "serial-oe", *where) == 2
    assert "--recipe is the name of a model: leave --model out" in capsys.readouterr().err
    assert asd("train", "--recipe", "featx", *where) == 2
    assert "did you mean 'featex'" in capsys.readouterr().err


def test_models_shows_what_is_published_of_a_recipe(
    asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("models", "multispec") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "short for discriminative:network=multi-resolution,centers=trainable" in shown
    assert "2023 dev 66.08 ± 2.06, eval 68.60 ± 0.75" in shown
    assert "4 trials, of asd score -m smote:ratio=0.2,k=2" in shown
    assert "dis_multispec_scac_trainable" in shown
    assert asd("models", "--json") == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    (own,) = [r for r in facts["recipes"] if r["name"] == "scac-fixed"]
    assert own["scores"]["dcase2024"] == {"dev": [59.82, 0.34], "eval": [52.46, 1.55]}
    assert own["model"] in next(m["summary"] for m in facts["models"] if m["name"] == "scac-fixed")
