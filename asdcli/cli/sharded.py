"""How commands with --shards take their step: alone, one shard of it, or all of them where an engine works."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from asdcli.errors import UsageError


def sharded(
    name: str, step: Callable[..., Any], shard: str | None, shards: int | None, engine: str | None, retry: int
) -> Callable[..., Any]:
    """The step `name`, or what has it taken shard by shard, as --shard, --shards, --engine and --retry say.

    Raises:
        UsageError: options that do not go together, or no engine.
    """
    if shards is None:
        if engine is not None or retry:
            option = "--retry" if engine is None else "--engine"
            raise UsageError(f"{option} is for shards that are made here or elsewhere", "say how many: --shards N")
        return partial(step, shard=shard)
    if shard is not None:
        raise UsageError("--shard is one of several, --shards is all of them", "leave one of the two out")
    from asdcli.sweep import shards as making
    from asdcli.sweep.engines import DEFAULT, ENGINES

    where = ENGINES.build(engine or DEFAULT)

    def all_of_them(space: Any, **options: Any) -> Any:
        return making.run(name, space, shards, where, retry=retry, **options)

    return all_of_them
