"""Which files of a run are stale, and why: each header says from which contents its file was made."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header, Kind
from asdcli.errors import AsdError, BadArtifact, BadData, MissingArtifact
from asdcli.pipeline.diagnosis.finding import Finding, State
from asdcli.pipeline.workspace import Workspace
from asdcli.views.digests import model_input, pack_input

_AREA = "run"
_STAGES = {  # what a run holds -> the command that makes it, in the order of the chain
    "features": "asd extract-features",
    "model": "asd train",
    "embeddings": "asd embed",
    "scores": "asd score",
    "results": "asd evaluate",
}


@dataclass
class _Run:
    """The walk's memory: the content of every file met so far, by the role it plays, and the roles that are stale."""

    space: Workspace
    given: Sequence[str]
    clips: pa.Table | None = None
    contents: dict[str, str] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)

    def command(self, *words: str) -> str:
        """A command line on this run."""
        return shlex.join([*words, *self.given])


def look(space: Workspace, given: Sequence[str] = ()) -> Iterator[Finding]:
    """One finding for every file of the run, then one for the first stage that was not made.

    `given` are the options that lead to this run; every command that is advised gets them.
    """
    run = _Run(space, given)
    if not space.run.is_dir():
        command = run.command("asd", "extract-features")
        yield Finding(_AREA, str(space.run), State.NOTE, "nothing made yet", command)
        return
    try:
        run.clips, header = artifacts.read_table(space.clips, artifacts.CLIPS)
        run.contents["clips"] = header.content
    except AsdError as error:
        yield Finding(_AREA, "clips", State.PROBLEM, error.message, error.hint)
    for path in sorted(space.run.glob("features/*/*.npz")):
        yield _features(run, path)
    for folder in (space.autoencoder, space.model):
        if (folder / "card.json").exists():
            yield _model(run, folder)
        elif any(folder.glob("checkpoint.*")):
            text = "training was interrupted; the same command goes on"
            yield Finding(_AREA, folder.name, State.NOTE, text, run.command("asd", "train"))
    if space.embeddings.exists():
        yield _embeddings(run)
    for path in sorted(space.scores_dir.glob("*.parquet")):
        yield _scores(run, path)
    for path, kind, command in (
        (space.thresholds, artifacts.THRESHOLDS, "threshold"),
        (space.results, artifacts.RESULTS, "evaluate"),
    ):
        if path.exists():
            yield _of_scores(run, path, kind, command)
    yield from _next(run)


def _features(run: _Run, path: Path) -> Finding:
    role = path.relative_to(run.space.run).with_suffix("").as_posix()
    header = _header(path, artifacts.FEATURES)
    machine_type = path.stem
    fix = run.command("asd", "extract-features", "--machine-type", machine_type)
    if isinstance(header, AsdError):
        return _unreadable(run, role, header, fix)
    fix = run.command("asd", "extract-features", "--machine-type", machine_type, *_reading(header))
    current: dict[str, str | None] = {}
    if run.clips is not None:
        if machine_type not in run.clips["machine_type"].to_pylist():
            run.stale.add(role)
            run.met.add("features")
            text = f"clips.parquet has no machine type {machine_type} any more"
            return Finding(_AREA, role, State.PROBLEM, text, f"rm {shlex.quote(str(path))}")
        current["clips"] = pack_input(run.clips, machine_type)
    return _judge(run, role, header, current, fix)


def _reading(header: Header) -> list[str]:
    """The options of extract-features that a pack was made with."""
    params, options = header.params, list[str]()
    if params.get("features") not in (None, "waveform"):
        options += ["--features", str(params["features"])]
    if params.get("channel") is not None:
        options += ["--channel", str(params["channel"])]
    if params.get("sample_rate") not in (None, 16_000):
        options += ["--sample-rate", str(params["sample_rate"])]
    options += ["--resample"] if params.get("resample") else []
    options += ["--round"] if params.get("rounding") else []
    return options


def _model(run: _Run, folder: Path) -> Finding:
    header = _header(folder, artifacts.MODEL)
    if isinstance(header, AsdError):
        return _unreadable(run, folder.name, header, run.command("asd", "train"))
    params = header.params
    options = ["--model", str(params.get("model")), "--seed", str(header.seed)]
    options += ["--precision", str(params["precision"])] if params.get("precision", "auto") != "auto" else []
    current = {role: run.contents.get(role) for role in header.inputs if role != "clips"}
    if run.clips is not None:
        trained_on = sorted(role.rpartition("/")[2] for role in header.inputs if role.startswith("features/"))
        try:
            current["clips"] = model_input(run.clips, trained_on)
        except BadData:
            current["clips"] = None
    return _judge(run, folder.name, header, current, run.command("asd", "train", *options))


def _embeddings(run: _Run) -> Finding:
    header = _header(run.space.embeddings, artifacts.EMBEDDINGS)
    if isinstance(header, AsdError):
        return _unreadable(run, "embeddings", header, run.command("asd", "embed"))
    if "source" in header.inputs:  # imported from elsewhere: nothing here is older than they are
        current: dict[str, str | None] = {}
        fix = run.command("asd", "embed", "--from", "FILE")
    else:
        current = {role: run.contents.get(role) for role in header.inputs if role != "clips" or run.clips is not None}
        fix = run.command("asd", "embed", "--embedder", str(header.params.get("embedder")))
    return _judge(run, "embeddings", header, current, fix)


def _scores(run: _Run, path: Path) -> Finding:
    role = f"scores/{path.stem}"
    header = _header(path, artifacts.SCORES)
    if isinstance(header, AsdError):
        return _unreadable(run, role, header, run.command("asd", "score"))
    method = str(header.params.get("method", path.stem))
    options = ["--method", method, "--seed", str(header.seed or 0)]
    options += (
        ["--unit", str(header.params["unit"])] if header.params.get("unit", "machine-type") != "machine-type" else []
    )
    inputs = {"autoencoder" if name == "model" else name: digest for name, digest in header.inputs.items()}
    # scores made of other scores (asd smooth) may come from other runs: what they are made of cannot be told
    own = set(inputs) == {"embeddings"} or "autoencoder" in inputs
    current = {name: run.contents.get(name) for name in inputs} if own else {}
    finding = _judge(run, role, header, current, run.command("asd", "score", *options), inputs=inputs)
    run.contents[f"method {method}"] = header.content
    if role in run.stale:
        run.stale.add(f"method {method}")
    return finding


def _of_scores(run: _Run, path: Path, kind: Kind, command: str) -> Finding:
    """Thresholds and results: made of score tables, each under its method's spelling."""
    header = _header(path, kind)
    options = ["--rule", str(header.params["rule"])] if isinstance(header, Header) and "rule" in header.params else []
    fix = run.command("asd", command, *options)
    if isinstance(header, AsdError):
        return _unreadable(run, kind.name, header, fix)
    prefixed = {f"method {method}": digest for method, digest in header.inputs.items()}
    known: dict[str, str | None] = {role: run.contents[role] for role in prefixed if role in run.contents}
    finding = _judge(run, kind.name, header, known, fix, inputs=prefixed)
    scored = {role for role in run.contents if role.startswith("method ")}
    lacking = sorted(role.removeprefix("method ") for role in scored - prefixed.keys())
    if finding.state == State.OK and lacking:
        return Finding(_AREA, kind.name, State.NOTE, f"without {', '.join(lacking)}, scored since", fix)
    return finding


def _judge(
    run: _Run,
    role: str,
    header: Header,
    current: Mapping[str, str | None],
    fix: str,
    *,
    inputs: Mapping[str, str] | None = None,
) -> Finding:
    """Compare the contents a file was made from with what is there now; remember its own."""
    inputs = header.inputs if inputs is None else inputs
    run.contents[role] = header.content
    run.met.add(role.partition("/")[0])
    reasons = []
    for name, digest in current.items():
        if digest is None:
            reasons.append(f"{name} is gone")
        elif inputs.get(name) != digest:
            reasons.append(f"{name} changed")
        elif name in run.stale:
            reasons.append(f"{name} is stale")
    if not reasons:
        return Finding(_AREA, role, State.OK, "up to date")
    run.stale.add(role)
    more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return Finding(_AREA, role, State.PROBLEM, f"stale: {', '.join(reasons[:3])}{more}", fix)


def _header(path: Path, kind: Kind) -> Header | BadArtifact | MissingArtifact:
    try:
        return artifacts.read_header(path, kind)
    except (BadArtifact, MissingArtifact) as error:
        return error


def _unreadable(run: _Run, role: str, error: AsdError, fix: str) -> Finding:
    run.stale.add(role)
    run.met.add(role.partition("/")[0])
    newer = "upgrade asdcli" in (error.hint or "")
    return Finding(_AREA, role, State.PROBLEM, error.message, "upgrade asdcli" if newer else fix)


def _next(run: _Run) -> Iterator[Finding]:
    """The first stage after all that was made: what is missing in between was not needed."""
    stages = list(_STAGES)
    made = [i for i, stage in enumerate(stages) if stage in run.met]
    following = stages[made[-1] + 1 if made else 0 :]
    if following:
        command = run.command(*_STAGES[following[0]].split())
        yield Finding(_AREA, following[0], State.NOTE, "not made yet", command)
