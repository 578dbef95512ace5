"""What the shell may complete: names that are known without reading anything large; nothing where none can be told."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import typer

from asdcli.files import is_model
from asdcli.vocabulary import DEVICES

Completion = Callable[[typer.Context, str], list[str]]


def _completes(names: Callable[[typer.Context], Iterable[str]]) -> Completion:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        with contextlib.suppress(Exception):  # a traceback in the middle of somebody's typing helps nobody
            return sorted({name for name in names(ctx) if name.startswith(incomplete)})
        return []

    return complete


def _registered(target: str, *more: str) -> Completion:
    """The names in a registry, `module:ATTRIBUTE`, which is imported when somebody completes one."""
    module, _, attribute = target.partition(":")
    return _completes(lambda _: [*getattr(importlib.import_module(module), attribute).names(), *more])


methods = _registered("asdcli.scorers:SCORERS", "all", "all+")
scorers = _registered("asdcli.scorers:SCORERS")
models = _registered("asdcli.training:MODELS")
recipes = _completes(lambda _: importlib.import_module("asdcli.training.named").recipes())
embedders = _registered("asdcli.embedders:EMBEDDERS")
plots = _registered("asdcli.plots:PLOTS")
engines = _registered("asdcli.sweep.engines:ENGINES")


def artifact_files(_: typer.Context, incomplete: str) -> list[str]:
    """Folders, and the files in them that may be artifacts."""
    start = Path(incomplete or ".")
    folder = start if not incomplete or incomplete.endswith("/") else start.parent
    with contextlib.suppress(OSError):
        found = [p for p in folder.iterdir() if p.is_dir() or p.suffix in (".parquet", ".npz")]
        names = sorted(f"{p}/" if p.is_dir() and not is_model(p) else str(p) for p in found)
        return [name for name in names if name.startswith(incomplete) and not Path(name).name.startswith(".")]
    return []


@_completes
def parts(_: typer.Context) -> Iterable[str]:
    """What `asd models` shows."""
    from asdcli.cli.models import registries

    return [name for registry in registries().values() for name in registry.names()]


@_completes
def encoders(_: typer.Context) -> Iterable[str]:
    """What `asd bench` takes: what embeds, and what can be trained to."""
    from asdcli.embedders import EMBEDDERS
    from asdcli.training import MODELS

    return [*EMBEDDERS.names(), *MODELS.names()]


@_completes
def plans(_: typer.Context) -> Iterable[str]:
    """Those that come with the package, and files of TOML that lie here."""
    from asdcli.sweep import shipped

    return [*shipped(), *(path.name for path in Path().glob("*.toml"))]


@_completes
def editions(_: typer.Context) -> Iterable[str]:
    """Names of the catalogue."""
    from asdcli import catalogue

    return catalogue.names()


@_completes
def datasets(ctx: typer.Context) -> Iterable[str]:
    """Folders of the data root that hold a table of clips."""
    return (table.parent.name for table in _data(ctx).glob("*/clips.parquet"))


@_completes
def stages(_: typer.Context) -> Iterable[str]:
    """What `asd run` takes one after the other."""
    from asdcli.pipeline.steps.run import STAGES

    return STAGES


@_completes
def devices(_: typer.Context) -> Iterable[str]:
    """Where networks run."""
    return DEVICES


@_completes
def machine_types(ctx: typer.Context) -> Iterable[str]:
    """Those that the run has features of, else those of the dataset's table."""
    return list(_packed(ctx)) or list(_listed(ctx))


def _packed(ctx: typer.Context) -> Iterator[str]:
    run = ctx.params.get("run")
    runs = [Path(run)] if run else [Path("runs") / _dataset(ctx)]
    return (pack.stem for place in runs for pack in place.glob("features/*/*.npz"))


def _listed(ctx: typer.Context) -> Iterable[str]:
    from asdcli import artifacts

    table, _ = artifacts.read_table(_data(ctx) / _dataset(ctx) / "clips.parquet", artifacts.CLIPS)
    return table["machine_type"].to_pylist()


def _data(ctx: typer.Context) -> Path:
    return Path(ctx.params.get("data") or "data")


def _dataset(ctx: typer.Context) -> str:
    return str(ctx.params.get("dataset") or (_data(ctx) / "current").read_text().strip())
