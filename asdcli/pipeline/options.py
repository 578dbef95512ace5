"""The options that a file was made with, read back from its header: typed again, they make it again.

Only what departs from a command's defaults is listed, save for what a command is about (a method, a model).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from asdcli.artifacts import FRACTIONS, Header
from asdcli.errors import AsdError
from asdcli.metrics.specs import AUC_PAUC
from asdcli.scorers.fuse import DEV, Fuse, unspelled
from asdcli.scorers.smooth import CHOOSE, CLUSTERS, KS, REPORT, SMOOTHERS, Smooth
from asdcli.views.windows import says_of_windows

Words = list[str]

_SMOOTH = Smooth()
DEFAULTS = {
    "--test-fraction": 0.2,
    "--features": "waveform",
    "--sample-rate": 16_000,
    "--batch-size": 64,
    "--precision": "auto",
    "--level": _SMOOTH.level,
    "--pool": _SMOOTH.pool,
    "--distance": _SMOOTH.metric,
    "--outside": _SMOOTH.outside,
    "--own-windows": _SMOOTH.own_windows,
    "--objective": AUC_PAUC,
    "--repeats": 20,
    "--by": Fuse().by,
    "--max-fpr": 0.1,
    "--bootstrap": 0,
}
"""What the commands take where an option is not typed, of the options that are left out here when they say no more."""


OF_WEIGHTS = ("checkpoint", "config", "preprocessor")
"""Inputs that are files of somebody's weights: the spelling of the embedder names them."""

SOURCE, LABELS, RULE = "FILE", "LABELS", "RULE"
"""Stand for foreign files of which nobody knows any more where they lie, and for a rule that nobody knows any more."""


_TRAINING = "from_training"


def none(_: Header) -> Words:
    return []


def of_index(header: Header) -> Words:
    params = header.params
    words = ["--manifest", "FILE"] if params.get("layout") == "manifest" else []
    words += _given({"--machine": params.get("machine"), "--unlabelled": params.get("unlabelled")})
    for word in params.get("condition_words", ()):
        words += ["--condition-word", word]
    words += _given({"--group-by": params.get("group_by")})
    return words + _given({"--test-fraction": params.get("test_fraction")}) + _seed(header)


def of_features(header: Header) -> Words:
    params = header.params
    names = {"--machine-type": "machine_type"} if "shard" not in params else {}
    names |= {"--shard": "shard", "--features": "features", "--channel": "channel"}
    words = [word for name in params.get("machine_types", ()) for word in ("--machine-type", str(name))]
    words += _given({o: params.get(n) for o, n in {**names, "--sample-rate": "sample_rate"}.items()})
    words += ["--resample"] if params.get("resample") else []
    words += ["--round"] if params.get("rounding") else []
    words += _given({"--window": _number(params.get("window_s")), "--hop": _number(params.get("hop_s"))})
    words += _given({"--cut-from": _number(params.get("cut_from_s"))})
    return words + (["--scale", str(params["scale"])] if "scale" in params else [])


def of_model(header: Header) -> Words:
    names = {"--model": "model", "--precision": "precision", "--hold-out": "hold_out", "--folds": "folds"}
    names |= {"--supplemental": "supplemental"}
    return _given({option: header.params.get(name) for option, name in names.items()}) + _seed(header)


def of_embeddings(header: Header) -> Words:
    if "source" in header.inputs:
        return ["--from", SOURCE, *(["--labels", LABELS] if "labels" in header.inputs else [])]
    names = {"--embedder": "embedder", "--shard": "shard", "--batch-size": "batch_size"}
    names |= {"--precision": "precision", "--supplemental": "supplemental"}
    return _given({option: header.params.get(name) for option, name in names.items()})


def of_scores(header: Header) -> Words:
    method, unit = header.params.get("method"), header.params.get("unit")
    words = _given({"--method": method, "--unit": None if unit == _own_unit(method) else unit})
    return words + _of_windows(header) + _seed(header)


def _of_windows(header: Header) -> Words:
    """What was said of the windows of clips, where it is not what would be taken."""
    said = header.params.get("of_windows", "mean")
    return [] if "method" not in header.params or said == says_of_windows(header) else ["--of-windows", str(said)]


def of_brought(header: Header) -> Words:
    return [SOURCE, *_given({"--name": header.params.get("method")})]


def of_smoothed(header: Header) -> Words:
    method, plus, smoothing = str(header.params.get("method", "")).rpartition("+")
    method, smoothing = (method, smoothing) if plus else (smoothing, "")
    words = _given({"--method": method or None})
    try:
        how: Smooth = SMOOTHERS.build(smoothing)
    except AsdError:
        return words
    words += ["-k", str(how.k), *(["--neighbours", how.data] if how.data != _SMOOTH.data else [])]
    alike = {"--distance": how.metric, "--outside": how.outside, "--own-windows": how.own_windows}
    return words + _given({"--level": how.level, "--pool": how.pool, **alike})


def of_fractions(header: Header) -> Words:
    params = header.params
    words = [_range(params.get("fractions", ())) or FRACTIONS.needs, *_searched(header)]
    words += _given({"--repeats": params.get("repeats"), "--sections": _joined(params.get("sections"))})
    return words + _seed(header)


def of_tuned(header: Header) -> Words:
    params = header.params
    words = _searched(header)
    if list(params.get("clusters", CLUSTERS)) != list(CLUSTERS):
        words += ["--clusters", _joined(params["clusters"]) or "none"]
    for option, name, default in (("--choose", "choose", CHOOSE), ("--report", "report", REPORT)):
        words += _given({option: _joined(_unless(params, name, default))})
    return words + _given({"--level": params.get("level"), "--pool": params.get("pool")}) + _seed(header)


def of_label_free(header: Header) -> Words:
    """The embeddings as they are called among the inputs, where they are not the run's own."""
    params = header.params
    words = [word for method in params.get("methods", ()) for word in ("--method", str(method))]
    roles = [str(role) for role in params.get("of", {}).values() if "/" in str(role)]
    words += [word for role in roles for word in ("--embeddings", role)]
    words += _given({"--pseudo": _joined(params.get("pseudo"))}) + ["--transductive"] * bool(params.get("transductive"))
    words += [word for name in params.get("machine_types", ()) for word in ("--machine-type", str(name))]
    return words + _seed(header)


def of_fused(header: Header) -> Words:
    """The parts in their order, as they are called in the header."""
    params = header.params
    try:
        parts, how = unspelled(str(params.get("method"))) or ([], Fuse())
    except AsdError:
        return list(params.get("of", ()))
    weights = {"--tune" if how.weights == DEV else "--weights": how.weights}
    words = [*params.get("of", parts), *_given({"--by": how.by, **weights})]
    words += ["--transductive"] * how.transductive + _given({"--name": params.get("name")})
    return words + [word for name in params.get("machine_types", ()) for word in ("--machine-type", str(name))]


def of_thresholds(header: Header) -> Words:
    return [*_given({"--rule": header.params.get("rule")}), *["--from-training"] * bool(header.params.get(_TRAINING))]


def by_rule(header: Header) -> list[Header]:
    """Thresholds that were set by several rules, or on several kinds of clips, as those of each."""
    rules: dict[str, str] = header.params.get("rules") or dict.fromkeys(header.inputs, header.params.get("rule", ""))
    trained = set(header.params.get(_TRAINING, ()))
    ways: dict[tuple[str, bool], list[str]] = {}
    for method, rule in rules.items():
        ways.setdefault((rule, method in trained), []).append(method)
    return [
        dataclasses.replace(
            header,
            params={"rule": rule, **({_TRAINING: methods} if of_training else {})},
            inputs={m: header.inputs.get(m, "") for m in methods},
        )
        for (rule, of_training), methods in ways.items()
    ] or [header]


def of_results(header: Header) -> Words:
    names = {"--metric": "metric", "--max-fpr": "max_fpr", "--bootstrap": "n_resamples"}
    return _given({o: header.params.get(n) for o, n in names.items()}) + _seed(header)


def _given(options: Mapping[str, Any]) -> Words:
    """The words of the options that have a value, and not the default one."""
    return [w for o, v in options.items() if v is not None and v != DEFAULTS.get(o) for w in (o, str(v))]


def _number(value: Any) -> str | None:
    """10 and not 10.0."""
    return f"{value!r}".removesuffix(".0") if isinstance(value, int | float) else None


def _seed(header: Header) -> Words:
    return ["--seed", str(header.seed)] if header.seed else []


def _own_unit(method: Any) -> str | None:
    """The unit that a method takes by itself; None where it is of another package, which is not there."""
    from asdcli.scorers import SCORERS, own_unit

    try:
        return own_unit(SCORERS.build(str(method))).value
    except AsdError:
        return None


def _searched(header: Header) -> Words:
    """What a search over several K was made with: the scores, K, neighbours, distance and objective."""
    params = header.params
    of = header.inputs.get("scores")
    smoothed = [e["params"].get("method") for e in header.history if e.get("content") == of]
    words = _given({"--method": smoothed[-1] if smoothed else None})
    words += [w for k in _unless(params, "ks", KS) for w in ("-k", str(k))]
    tried = params.get("data", ())
    words += ["--neighbours", str(tried[0])] if len(tried) == 1 else []
    names = {"--distance": "distance", "--outside": "outside", "--own-windows": "own_windows", "--objective": "metric"}
    return words + _given({o: params.get(n) for o, n in names.items()})


def _unless(params: Mapping[str, Any], name: str, default: Sequence[Any]) -> list[Any]:
    """The values of a parameter where they are not the default ones, else nothing."""
    values = list(params.get(name, default))
    return [] if values == list(default) else values


def _joined(values: Sequence[Any] | None) -> str | None:
    return ",".join(map(str, values)) if values else None


def _range(values: Sequence[float]) -> str:
    """`0.1:1.0:0.1` where values are evenly spaced, else `0.1,0.5,0.6`."""
    if len(values) > 2:
        step = round(values[1] - values[0], 10)
        if all(round(values[0] + i * step, 10) == value for i, value in enumerate(values)):
            return f"{values[0]}:{values[-1]}:{step}"
    return ",".join(map(str, values))
