"""`asd fuse`: one score of several, from the parts' files to official score, thresholds, submission and doctor."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.filenames import stem
from asdcli.pipeline import run_note
from asdcli.stages import submit
from tests.helpers.many_runs import write_run
from tests.helpers.score_files import clip_rows, of_vectors, random_scores, write_clips, write_scores

EDITION, MACHINES = "dcase2023", ("fan", "valve")
RUN = Path("runs") / EDITION


def rows_of(scored_as: str | None = "left-out group", **sizes) -> list[dict]:
    """Clips of two machine types, their training clips in five groups."""
    rows = clip_rows(EDITION, machine_types=MACHINES, **{"train": 20, "each": 6, **sizes})
    for i, row in enumerate(rows):
        if row["split"] == "train":
            row.update(group=f"day {i % 5}", scored_as=scored_as)
    return rows


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """A run with the methods nn and mse, on scales of their own, in the working folder; its clips."""
    monkeypatch.chdir(tmp_path)
    rows = rows_of()
    write(rows, write_clips(Path("data"), EDITION, rows))
    run_note.remember(RUN, EDITION)
    return rows


def parts_of(rows: list[dict]) -> dict[str, np.ndarray]:
    return {"nn": random_scores(rows, 0), "mse": 1000 * random_scores(rows, 1, 1.0)}


def write(rows: list[dict], clips: Header, run: Path = RUN, **scores: np.ndarray) -> None:
    for method, values in (scores or parts_of(rows)).items():
        write_scores(run / "scores" / f"{stem(method)}.parquet", rows, values, clips, method)


def read(spelling: str, run: Path = RUN) -> pa.Table:
    return artifacts.read_table(run / "scores" / f"{stem(spelling)}.parquet", artifacts.SCORES)[0]


def scores_of(spelling: str, run: Path = RUN) -> dict[str, float]:
    table = read(spelling, run)
    return dict(zip(table["clip_id"].to_pylist(), table["anomaly_score"].to_pylist(), strict=True))


def by_hand(rows: list[dict], by: str, weights: tuple[float, ...] = (1, 1)) -> dict[str, float]:
    """Written out clip by clip, as the documentation has it."""
    found = {}
    for i, row in enumerate(rows):
        normal = [j for j, r in enumerate(rows) if r["machine_type"] == row["machine_type"] and r["split"] == "train"]
        values = []
        for scores in parts_of(rows).values():
            others = np.array([scores[j] for j in normal if j != i])
            z = (scores[i] - others.mean()) / others.std(ddof=1)
            rank = np.mean(others < scores[i]) + 0.5 * np.mean(others == scores[i])
            values.append({"z": z, "min": z, "rank": rank, "mean": scores[i]}[by])
        found[row["clip_id"]] = min(values) if by == "min" else float(np.average(values, weights=weights))
    return found


@pytest.mark.parametrize("by", ["z", "rank", "min", "mean"])
def test_a_fused_score_is_what_it_says(asd, here: list[dict], monkeypatch, tmp_path: Path, by: str) -> None:
    assert asd("fuse", "nn", "mse", "--by", by) == 0
    assert scores_of(f"nn+mse+fuse:by={by}") == pytest.approx(by_hand(here, by), abs=1e-9)


def test_weights_are_of_the_parts_in_their_order(asd, here: list[dict]) -> None:
    assert asd("fuse", "nn", "mse", "--weights", "3,1") == 0
    assert scores_of("nn+mse+fuse:by=z,weights=0.75_0.25") == pytest.approx(by_hand(here, "z", (3, 1)), abs=1e-9)
    before = scores_of("nn+mse+fuse:by=z,weights=0.75_0.25")
    assert asd("fuse", "mse", "nn", "--weights", "0.25,0.75", "--name", "turned") == 0
    assert scores_of("turned+fuse:by=z,weights=0.25_0.75") == pytest.approx(before, abs=1e-12)


def test_clips_are_joined_by_their_names_whatever_their_order(asd, here: list[dict], tmp_path: Path) -> None:
    asd("fuse", "nn", "mse")
    before = scores_of("nn+mse+fuse:by=z")
    order = np.random.default_rng(3).permutation(len(here))
    clips = artifacts.read_header(Path("data") / EDITION / "clips.parquet", artifacts.CLIPS)
    turned = [here[i] for i in order]
    write_scores(RUN / "scores/mse.parquet", turned, parts_of(here)["mse"][order], clips, "mse")
    assert asd("fuse", "nn", "mse") == 0
    assert scores_of("nn+mse+fuse:by=z") == before


def test_a_score_does_not_depend_on_other_test_clips_unless_transductive_is_typed(
    asd, here: list[dict], capsys
) -> None:
    same, turned = "nn+mse+fuse:by=z", "nn+mse+fuse:by=z,transductive=true"
    asd("fuse", "nn", "mse")
    asd("fuse", "nn", "mse", "--transductive")
    assert "scores depend on which clips are tested together" in capsys.readouterr().err
    before, transductive = scores_of(same), scores_of(turned)
    last = next(i for i in reversed(range(len(here))) if here[i]["split"] == "test")
    changed = {name: np.where(np.arange(len(here)) == last, 9e9, values) for name, values in parts_of(here).items()}
    clips = artifacts.read_header(Path("data") / EDITION / "clips.parquet", artifacts.CLIPS)
    write(here, clips, **changed)
    asd("fuse", "nn", "mse")
    asd("fuse", "nn", "mse", "--transductive")
    clip_id = here[last]["clip_id"]
    differing = {c for c, score in scores_of(same).items() if score != before[c]}
    assert differing == {clip_id}
    assert len({c for c, score in scores_of(turned).items() if score != transductive[c]}) > len(here) / 2 - 1
    assert set(read(turned)["scored_as"].to_pylist()) == {None}  # such scores promise nothing of new clips
    asd("evaluate")
    assert f"|method:{turned}|" in capsys.readouterr().out


def test_held_out_clips_are_what_normalises_where_there_are_any(asd, here: list[dict]) -> None:
    for i, row in enumerate(r for r in here if r["split"] == "train"):
        row["scored_as"] = "held-out" if i % 2 else "seen"
    clips = artifacts.read_header(Path("data") / EDITION / "clips.parquet", artifacts.CLIPS)
    write(here, clips)
    assert asd("fuse", "nn", "mse") == 0
    found, nn, mse = scores_of("nn+mse+fuse:by=z"), *parts_of(here).values()
    i = next(i for i, row in enumerate(here) if row["machine_type"] == "valve" and row["split"] == "test")
    own = [j for j, r in enumerate(here) if r["machine_type"] == "valve" and r.get("scored_as") == "held-out"]
    z = [(s[i] - s[own].mean()) / s[own].std(ddof=1) for s in (nn, mse)]
    assert found[here[i]["clip_id"]] == pytest.approx(np.mean(z), abs=1e-9)
    assert read("nn+mse+fuse:by=z")["scored_as"].to_pylist().count("held-out") == 20


def test_that_no_clip_was_held_out_is_said(asd, here: list[dict], capsys) -> None:
    seen = [{**r, "scored_as": "seen"} if r["split"] == "train" else r for r in here]
    write(seen, artifacts.read_header(Path("data") / EDITION / "clips.parquet", artifacts.CLIPS))
    assert asd("fuse", "nn", "mse") == 0
    assert "clips that the model was trained on: there are none held out" in capsys.readouterr().err
    assert asd("threshold") == 0 and asd("threshold", RUN / "scores" / "nn+mse+fuse.by=z.parquet") == 0


def test_a_fused_method_is_thresholded_evaluated_and_submitted_like_any_other(asd, here: list[dict], capsys) -> None:
    spelling = "nn+mse+fuse:by=z"
    table = RUN / "scores" / f"{stem(spelling)}.parquet"
    assert asd("fuse", "nn", "mse") == asd("threshold", "--decisions", "decisions.csv") == 0
    with Path("decisions.csv").open() as file:
        own = [r for r in csv.DictReader(file) if r["method"] == spelling]
    assert len(own) == 48 and all(0 < float(r[p]) <= 1 for r in own for p in ("p_value", "p_value_group"))
    capsys.readouterr()
    assert asd("evaluate", "--compare", "nn", spelling, "--bootstrap", "20") == 0
    assert f"|method:{spelling}|seed:0|made:" in capsys.readouterr().out
    assert asd("submit", table, "--label", "Doe_Lab", "--subset", "dev") in (0, 3)  # of two machine types alone
    assert list((RUN / "submission").rglob("decision_result_fan_section_00_test.csv"))
    assert asd("table", "compare", "runs", "--method", spelling) == 0
    assert spelling in capsys.readouterr().out


def test_a_fused_score_has_no_detector(asd, here: list[dict], capsys) -> None:
    asd("fuse", "nn", "mse")
    asd("threshold")
    Path("a.wav").write_bytes(b"")
    capsys.readouterr()
    assert asd("check", "a.wav", "--machine", "fan", "-m", "nn+mse+fuse:by=z") == 2
    told = capsys.readouterr().err
    assert "a fused score has no detector: nn+mse+fuse:by=z is made of scores" in told
    assert "name one of its parts: nn or mse" in told


# --- weights chosen by the development machines ----------------------------------------------------------------------


def test_weights_are_chosen_by_the_development_set_alone_and_are_no_worse_there_than_the_best_part(
    asd, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = rows_of() + [{**r, "subset": "eval", "clip_id": f"eval/{r['clip_id']}"} for r in rows_of()]
    good_on_eval = [3.0 if r["subset"] == "eval" else 0.0 for r in rows]
    anomalous = np.array([r["condition"] == "anomaly" for r in rows])
    noise = random_scores(rows, 5, 0.0) + anomalous * good_on_eval
    clips = write_clips(Path("data"), EDITION, rows)
    write(rows, clips, nn=random_scores(rows, 0, 3.0), mse=noise)
    assert asd("fuse", "nn", "mse", "--tune", "dev", "--json") == 0
    told = json.loads(capsys.readouterr().out)["facts"]["methods"][0]
    chosen = told["weights"]
    assert told["method"] == "nn+mse+fuse:by=z,weights=dev" and chosen["nn"] > 0.7 and sum(chosen.values()) == 1
    before = read("nn+mse+fuse:by=z,weights=dev")
    asd("evaluate", "--json")
    found = {(r["method"], r["subset"]): r["official"] for r in json.loads(capsys.readouterr().out)["facts"]["results"]}
    assert round(found["nn+mse+fuse:by=z,weights=dev", "dev"], 4) == told["official_on_dev"]
    assert found["nn+mse+fuse:by=z,weights=dev", "dev"] >= max(found["nn", "dev"], found["mse", "dev"])

    other = [{**r, "condition": "normal"} if r["subset"] == "eval" else r for r in rows]  # the truth of eval changes
    clips = write_clips(Path("data"), EDITION, other)
    write(other, clips, nn=random_scores(rows, 0, 3.0), mse=noise)
    assert asd("fuse", "nn", "mse", "--tune", "dev") == 0
    assert read("nn+mse+fuse:by=z,weights=dev")["anomaly_score"].equals(before["anomaly_score"])


def test_without_labels_of_the_development_set_there_is_nothing_to_choose_by(asd, here: list[dict], capsys) -> None:
    hidden = [{**r, "condition": None if r["split"] == "test" else r["condition"]} for r in here]
    write(hidden, write_clips(Path("data"), EDITION, hidden))
    capsys.readouterr()
    assert asd("fuse", "nn", "mse", "--tune", "dev") == 1
    assert "no test clip has a known condition" in capsys.readouterr().err
    elsewhere = [{**r, "subset": "eval"} for r in here]
    write(elsewhere, write_clips(Path("data"), EDITION, elsewhere))
    assert asd("fuse", "nn", "mse", "--tune", "dev") == 1
    assert "no test clips of the development set to choose weights by" in capsys.readouterr().err


# --- several runs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three runs of one model, a seed each."""
    monkeypatch.chdir(tmp_path)
    rows = rows_of()
    clips = write_clips(Path("data"), EDITION, rows)
    made = [write_run(Path(), EDITION, clips, rows, seed=seed, label="x", evaluated=False) for seed in range(3)]
    return made


def test_seeds_fuse_into_a_run_of_their_own(asd, seeds: list[Path], capsys) -> None:
    fused = Path("runs") / f"{EDITION}-fused"
    assert asd("fuse", *seeds) == 0
    found = scores_of("nn+fuse:by=z,runs=3", fused)
    assert asd("fuse", *reversed(seeds)) == 0
    assert scores_of("nn+fuse:by=z,runs=3", fused) == pytest.approx(found, abs=1e-12)
    assert asd("fuse", "runs", "--by", "mean") == 0  # a folder above runs, and above what was fused of them
    each = [scores_of("nn", run) for run in seeds]
    mean = {clip_id: np.mean([one[clip_id] for one in each]) for clip_id in found}
    assert scores_of("nn+fuse:by=mean,runs=3", fused) == pytest.approx(mean, abs=1e-12)
    capsys.readouterr()
    assert asd("evaluate", "--run", fused) == 0
    line = next(s for s in capsys.readouterr().out.splitlines() if "|method:nn+fuse:by=z,runs=3|" in s)
    assert "|embedder:discriminative:centers=fixed|" in line and "|seed:" not in line  # of several seeds none is said


def test_what_a_fusion_costs_is_counted_on_the_models_of_all_its_runs(asd, seeds: list[Path], monkeypatch) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(submit, "cost_of", lambda header, models, *_: asked.extend(models))
    fused = Path("runs") / f"{EDITION}-fused"
    table = fused / "scores/nn+fuse.by=z,runs=3.parquet"
    assert asd("fuse", *seeds) == asd("threshold", "--run", fused) == 0
    assert asd("submit", table, "--label", "Doe_Lab", "--subset", "dev", "--run", fused) in (0, 3)
    assert {path.resolve() for path in asked} >= {(run / "model").resolve() for run in (fused, *seeds)}


def test_a_run_that_is_named_takes_the_scores_and_a_method_of_a_run_is_named_with_it(asd, seeds: list[Path]) -> None:
    rows = rows_of()
    clips = artifacts.read_header(Path("data") / EDITION / "clips.parquet", artifacts.CLIPS)
    write(rows, clips, seeds[1], mse=random_scores(rows, 7))
    assert asd("fuse", "nn", f"{seeds[1]}:mse", "--run", seeds[0], "--by", "rank") == 0
    assert (seeds[0] / "scores/nn+mse+fuse.by=rank.parquet").exists()


def test_a_fusion_of_runs_is_stale_when_one_of_them_changes_and_doctor_s_command_mends_it(
    asd, seeds: list[Path], capsys
) -> None:
    fused = Path("runs") / f"{EDITION}-fused"
    asd("fuse", *seeds, "--weights", "3,2,1", "--name", "mine")
    table, spelling = fused / "scores", "mine+fuse:by=z,weights=0.5_0.333333_0.166667,runs=3"
    capsys.readouterr()
    assert asd("fuse", *seeds, "--weights", "3,2,1", "--name", "mine") == 0
    assert "up to date" in capsys.readouterr().err
    header = artifacts.read_header(seeds[1] / "scores/nn.parquet", artifacts.SCORES)
    rows = rows_of()
    other = pa.Table.from_pylist([{**r, "method": "nn", "anomaly_score": float(i)} for i, r in enumerate(rows)])
    artifacts.write_table(seeds[1] / "scores/nn.parquet", artifacts.SCORES, other, header)
    assert asd("evaluate", table) == 0
    told = capsys.readouterr().err
    command = next(line for line in told.splitlines() if "bring up to date: " in line).partition("bring up to date: ")[
        2
    ]
    words = shlex.split(command)
    assert words[:5] == ["asd", "fuse", *map(str, seeds_in(words))] and "--weights" in words and "--name" in words
    before = scores_of(spelling, fused)
    assert asd(*words[1:]) == 0 and scores_of(spelling, fused) != before
    assert asd("evaluate", table) == 0 and "have changed since" not in capsys.readouterr().err


def seeds_in(words: list[str]) -> list[str]:
    return [word for word in words if word.endswith("nn.parquet")]


def test_a_damaged_file_is_answered_with_the_command_that_makes_it_again(asd, here: list[dict], capsys) -> None:
    clips = artifacts.read_header(Path("data") / EDITION / "clips.parquet", artifacts.CLIPS)
    write(here, clips, **{"kmeans:clusters=4": random_scores(here, 3)})
    asd("fuse", "nn", "kmeans:clusters=4", "--by", "rank", "--weights", "3,1")
    table = RUN / "scores" / f"{stem('nn+kmeans:clusters=4+fuse:by=rank,weights=0.75_0.25')}.parquet"
    table.write_bytes(b"no more")
    capsys.readouterr()
    assert asd("evaluate") == 1
    command = capsys.readouterr().err.partition("make it again: ")[2].strip()
    assert command == "asd fuse nn kmeans:clusters=4 --by rank --weights 0.75_0.25 --force"
    assert asd(*shlex.split(command)[1:]) == asd("evaluate") == 0


# --- what is refused -------------------------------------------------------------------------------------------------


def other_run(rows: list[dict], **scores: np.ndarray) -> Path:
    """`runs/other`, of the same dataset."""
    clips = artifacts.read_header(Path("data") / EDITION / "clips.parquet", artifacts.CLIPS)
    run_note.remember(Path("runs/other"), EDITION)
    write(rows, clips, Path("runs/other"), **(scores or {"mse": random_scores(rows)}))
    return Path("runs/other")


def refusal(asd, capsys, *line: object) -> str:
    capsys.readouterr()
    assert asd("fuse", *line) in (1, 2)
    return capsys.readouterr().err


def test_parts_of_other_clips_are_refused_by_name(asd, here: list[dict], capsys) -> None:
    run = other_run([r for r in here if r["machine_type"] != "valve"])
    told = refusal(asd, capsys, "nn", run)
    assert "scored by nn and not by mse" in told and "valve" in told and "--machine-type" in told
    assert asd("fuse", "nn", run, "--machine-type", "fan") == 0
    assert {r["machine_type"] for r in read("nn+mse+fuse:by=z", Path(f"runs/{EDITION}-fused")).to_pylist()} == {"fan"}


def test_labels_that_contradict_one_another_are_refused_and_what_one_part_knows_all_do(
    asd, here: list[dict], capsys
) -> None:
    i = next(i for i, r in enumerate(here) if r["condition"] == "anomaly")
    run = other_run([{**r, "condition": "normal"} if j == i else r for j, r in enumerate(here)])
    told = refusal(asd, capsys, "nn", run)
    assert f"mse says condition normal of {here[i]['clip_id']}" in told and "says anomaly" in told
    run = other_run([{**r, "condition": None if r["split"] == "test" else "normal"} for r in here])
    assert asd("fuse", run, "nn", "--run", RUN) == 0
    assert read("mse+nn+fuse:by=z")["condition"].to_pylist().count("anomaly") == 24


def test_other_datasets_and_other_recordings_of_the_same_names_are_refused(asd, here: list[dict], capsys) -> None:
    clips = write_clips(Path("data"), "dcase2024", here)
    write(here, clips, Path("runs/other"), mse=random_scores(here))
    assert "nn is of dataset 'dcase2023', mse of 'dcase2024'" in refusal(asd, capsys, f"{RUN}:nn", "runs/other")
    own = artifacts.read_header(Path("data") / EDITION / "clips.parquet", artifacts.CLIPS)
    for run, content in (("runs/a", "one"), ("runs/b", "other")):
        made = {"features": "waveform", "machine_type": "fan", "sample_rate": 16_000}
        pack = Header.make(artifacts.FEATURES, dataset=EDITION, params=made, inputs={"clips": own}).with_content(
            content
        )
        vectors = Header.make(
            artifacts.EMBEDDINGS, dataset=EDITION, inputs={"clips": own, "features/waveform/fan": pack}
        )
        path = Path(run) / "scores/nn.parquet"
        write_scores(path, here, random_scores(here), own, embeddings=vectors.with_content(content))
    told = refusal(asd, capsys, "runs/a", "runs/b")
    assert "a/nn and b/nn are of other recordings of fan: of two data roots" in told
    assert "a/nn and b/nn are of other recordings of fan" in refusal(asd, capsys, f"{RUN}:mse", "runs/a", "runs/b")


def test_scores_of_test_clips_alone_have_nothing_to_normalise_by_but_may_be_averaged(
    asd, here: list[dict], capsys
) -> None:
    run = other_run([r for r in here if r["split"] == "test"])
    told = refusal(asd, capsys, "nn", run)
    assert "nn, fan: 0 normal clips are too few for z-scores" in told and "--transductive takes the test clips" in told
    assert asd("fuse", "nn", run, "--by", "mean") == 0 == asd("fuse", "nn", run, "--transductive")
    table = read("nn+mse+fuse:by=mean", Path(f"runs/{EDITION}-fused"))
    assert set(table["split"].to_pylist()) == {"test"}


def test_words_that_name_nothing_are_answered_with_what_there_is(asd, here: list[dict], capsys) -> None:
    assert "nn alone is nothing to fuse" in refusal(asd, capsys, "nn", "nn")
    assert "no scores of kmeans in" in refusal(asd, capsys, "nn", "kmeans")
    assert "unknown method or run 'nope'" in refusal(asd, capsys, "nn", "nope")
    assert f"{RUN} holds several methods: mse, nn" in refusal(asd, capsys, "nn", RUN)
    assert f"{RUN}: unknown method 'nope'" in refusal(asd, capsys, "nn", f"{RUN}:nope")
    assert "weights cannot be chosen by 'eval'" in refusal(asd, capsys, "nn", "mse", "--tune", "eval")
    assert "there are 3 weights for 2 parts" in refusal(asd, capsys, "nn", "mse", "--weights", "1,2,3")
    assert "'a/b' cannot be the name of a method" in refusal(asd, capsys, "nn", "mse", "--name", "a/b")
    assert "'nn' is a method of asd score" in refusal(asd, capsys, "nn", "mse", "--name", "nn")
    told = refusal(asd, capsys, "nn", "mse", "-m", "gmm")
    assert "--method says which method of a run that is named without one" in told
    assert "hint: leave it out, or fuse it too: asd fuse nn mse gmm" in told
    assert "unknown machine type of nn 'fna'" in refusal(asd, capsys, "nn", "mse", "--machine-type", "fna")


def test_methods_whose_units_are_sections_are_normalised_section_by_section(asd, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = clip_rows("dcase2021", machine_types=["fan"], train=10, each=3)
    clips = write_clips(Path("data"), "dcase2021", rows)
    scale = np.array([10.0 ** int(r["section"]) for r in rows])  # each section on a scale of its own
    for method, seed in (("nn", 0), ("mse", 1)):
        made = Header.make(
            artifacts.SCORES,
            dataset="dcase2021",
            params={"method": method, "unit": "section"},
            inputs={"embeddings": of_vectors(clips)},
        )
        values = random_scores(rows, seed) * scale
        table = [{**r, "method": method, "anomaly_score": v} for r, v in zip(rows, values, strict=True)]
        path = Path("runs/dcase2021/scores") / f"{method}.parquet"
        artifacts.write_table(path, artifacts.SCORES, pa.Table.from_pylist(table), made)
    assert asd("fuse", "nn", "mse") == 0
    found = scores_of("nn+mse+fuse:by=z", Path("runs/dcase2021"))
    for section in ("00", "02"):
        train = [found[r["clip_id"]] for r in rows if r["section"] == section and r["split"] == "train"]
        assert 0.3 < np.std(train) < 3  # so they are comparable, whatever their scale was
