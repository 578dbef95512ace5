"""The line of a number: one making, one line; any other making, another line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.artifacts.header import WHOLE
from asdcli.views.making import Making, differing
from asdcli.views.signature import line
from tests.helpers.score_files import of_model, of_vectors

CLIPS = Header.make(artifacts.CLIPS, dataset="dcase2023", params={"edition": "dcase2023"}).with_content("clips")
MODEL = "discriminative:centers=fixed"


def scores(vectors: Header, method: str = "nn", **fields: Any) -> Header:
    fields = {"seed": 0, "inputs": {"embeddings": vectors}, **fields}
    return Header.make(artifacts.SCORES, dataset="dcase2023", params={"method": method}, **fields)


def of_a_model(spelling: str = MODEL, **fields: Any) -> Header:
    return scores(of_vectors(CLIPS, model=of_model(CLIPS, spelling, **fields)))


def said(header: Header, **fields: Any) -> str:
    fields = {"counts": {"machines": 7}, "rest": {}, **fields}
    return line("dcase2023|dev", Making.of(header), header.params["method"], 0.66123, **fields)


def test_the_fields_stand_in_the_documented_order() -> None:
    whole = said(
        of_a_model("discriminative:centers=fixed,epochs=4", precision="fp32"),
        counts={"machines": 7, "clips": "420/1400"},
        apart=["embeddings", "autoencoder"],
        rest={"stale": "embeddings", "metric": None, "undefined": "1/6"},
    )
    place, *fields = whole.partition(" = ")[0].split("|")[1:]
    assert (place, whole.rpartition(" = ")[2]) == ("dev", "0.6612")
    names = [field.partition(":")[0] for field in fields]
    assert " ".join(names) == "machines clips embedder precision method seed made embeddings stale undefined asd"
    assert "|embedder:discriminative:centers=fixed,epochs=4|precision:fp32|method:nn|seed:0|" in whole


@pytest.mark.parametrize(
    "other",
    [
        of_a_model("discriminative:centers=trainable"),
        of_a_model("discriminative:centers=fixed,epochs=6"),
        of_a_model(seed=1),
        of_a_model(precision="fp32"),
        scores(of_vectors(CLIPS)),
        scores(of_vectors(CLIPS, model=of_model(CLIPS, MODEL)), seed=5),
        scores(of_vectors(CLIPS.with_content("others"), model=of_model(CLIPS.with_content("others"), MODEL))),
    ],
    ids=["centres", "epochs", "seed", "precision", "no model", "seed of scoring", "clips"],
)
def test_what_was_made_otherwise_has_another_line(other: Header) -> None:
    assert said(other) != said(of_a_model())


def test_vectors_that_were_embedded_in_a_shorter_format_say_so() -> None:
    vectors = of_vectors(CLIPS, model=of_model(CLIPS, MODEL))
    short = replace(vectors, params={**vectors.params, "precision": "bf16"})
    assert "|embedded:bf16|method:nn|" in said(scores(short)) and "embedded" not in said(scores(vectors))
    fused = [Making.of(scores(short)), Making.of(scores(vectors))]
    assert Making._joined(scores(vectors), fused).embedded == ("bf16",) and fused[0].digest != fused[1].digest


def test_a_header_has_the_line_of_its_stored_self() -> None:
    params = {"submission": "Doe_Lab_task2_1", "method": "nn"}
    made = Header.make(artifacts.SCORES, dataset="dcase2023", params=params, inputs={"clips": CLIPS})
    assert said(Header.from_json(made.to_json(), where="here")) == said(made)


def test_what_the_stages_made_takes_no_part_because_it_differs_from_machine_to_machine() -> None:
    here = scores(of_vectors(CLIPS, "here", model=of_model(CLIPS, MODEL, content="weights here")))
    there = scores(of_vectors(CLIPS, "there", model=of_model(CLIPS, MODEL, content="weights there")))
    assert said(here) == said(there)
    assert said(here, apart=["embeddings"]) != said(there, apart=["embeddings"])


def packed(recordings: str, clips: str = "clips", features: str = "waveform") -> Header:
    """Scores of log-mel vectors of a pack that read a part of the clips."""
    whole = CLIPS.with_content(clips)
    pack = Header.make(
        artifacts.FEATURES,
        dataset="dcase2023",
        params={"machine_type": "fan", "features": features},
        inputs={"clips": whole.part("fan")},
    )
    vectors = Header.make(
        artifacts.EMBEDDINGS,
        dataset="dcase2023",
        params={"embedder": "logmel"},
        inputs={"clips": whole, "features/fan": pack.with_content(recordings)},
    )
    assert any(WHOLE in entry["inputs"] for entry in vectors.history)
    return scores(vectors.with_content("embeddings"))


def test_other_recordings_of_the_same_names_have_another_line_and_labels_that_came_later_have_not() -> None:
    assert said(packed("one")) != said(packed("another"))
    assert said(packed("one", clips="hidden")) == said(packed("one", clips="with truth"))
    assert said(packed("one", features="logmel")) == said(packed("a last bit away", features="logmel"))


def test_fused_scores_name_all_that_they_are_of_and_no_seed_where_there_are_several() -> None:
    vectors = of_vectors(CLIPS), of_vectors(CLIPS, "other", model=of_model(CLIPS, "serial-oe", seed=2))
    parts = {name: scores(made).with_content(name) for name, made in zip(("a/nn", "b/nn"), vectors, strict=True)}
    params = {"method": "nn+fuse:by=z,runs=2", "of": list(parts)}
    fused, turned = (
        Header.make(artifacts.SCORES, dataset=CLIPS.dataset, params={**params, "of": of}, inputs=parts)
        for of in (list(parts), list(parts)[::-1])
    )
    assert "|embedder:logmel+serial-oe|method:nn+fuse:by=z,runs=2|made:" in said(fused)
    assert said(fused) != said(turned)  # weights are in the order of the parts


def test_an_autoencoder_is_named_beside_the_model_that_embedded() -> None:
    autoencoder = of_model(CLIPS, "autoencoder:epochs=4", content="autoencoder")
    vectors = of_vectors(CLIPS, model=of_model(CLIPS, "serial-oe"))
    alone = scores(vectors, "mse", inputs={"model": autoencoder}, seed=None)
    both = scores(vectors, "mse+smooth:k=4", inputs={"scores": alone.with_content("mse"), "embeddings": vectors})
    assert "|model:autoencoder:epochs=4|method:mse|seed:0|" in said(alone) and "embedder" not in said(alone)
    assert "|embedder:serial-oe|model:autoencoder:epochs=4|method:mse+smooth:k=4|" in said(both)


def test_a_history_of_an_older_version_names_its_model() -> None:
    header = of_a_model()
    older = replace(header, history=tuple({k: v for k, v in e.items() if k != "inputs"} for e in header.history))
    assert f"|embedder:{MODEL}|" in said(older)


def test_a_very_long_spelling_is_cut_and_told_by_a_digest_of_all_of_it() -> None:
    one, other = (of_a_model("discriminative:" + "width=1," * 12 + f"epochs={n}") for n in (4, 6))
    cut = [said(header).partition("|method:")[0] for header in (one, other)]
    assert cut[0] != cut[1] and all(len(c) < 130 for c in cut)


def test_origins_are_told_apart_by_name_and_by_digest_where_names_are_alike() -> None:
    def of(content: str, spelling: str | None) -> Making:
        return Making.of(scores(of_vectors(CLIPS, content, model=of_model(CLIPS, spelling) if spelling else None)))

    a, b, c = of("aaaaaaaa", MODEL), of("bbbbbbbb", MODEL), of("cccccccc", None)
    assert differing({"x": a, "y": b, "z": c}) == {"embeddings": {"x": "aaaaaa", "y": "bbbbbb", "z": "cccccc"}}
    assert differing({"x": a, "z": c}) == {"embeddings": {"x": "discriminative", "z": "logmel"}}
    assert differing({"x": a, "y": a}) == {}
