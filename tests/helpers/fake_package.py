"""Packages of other people: modules and, where they are installed, what their metadata offers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent


def write(
    site: Path,
    name: str,
    modules: Mapping[str, str],
    *,
    version: str = "1.0",
    offers: Mapping[str, Mapping[str, str]] | None = None,
) -> Path:
    """Install a package into the folder `site`, which is then to be put on sys.path.

    Args:
        site: a folder that is then put on sys.path.
        name: of the distribution.
        modules: file name -> source.
        version: of the distribution.
        offers: entry point group -> name -> `module:Class`.
    """
    for file, source in modules.items():
        path = site / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
    if offers is not None:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        groups = [f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in of.items()) for group, of in offers.items()]
        (info / "entry_points.txt").write_text("\n".join(groups))
    return site
