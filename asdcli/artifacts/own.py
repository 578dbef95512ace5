"""Whose a file is: what asd wrote and nobody has changed since may be written again, anything else only with `--force`.

An artifact says so itself, by its header and the digest of what it holds: see `artifacts.claim`. Files that cannot -
tables of decisions, CSVs of results, the parts of a submission - stand in `.asd-written.json` in their folder with the
digests of what asd wrote there. Who deletes it has to say `--force` once, and loses nothing.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from asdcli.artifacts.digest import digest_bytes
from asdcli.errors import BadArtifact, BadData
from asdcli.files import read_json
from asdcli.writing.locks import in_turn
from asdcli.writing.whole import atomic

LEDGER = ".asd-written.json"


def foreign(path: Path, why: str = "asd did not write it, or it was changed since") -> BadData:
    """The error for a file that is not asd's to overwrite."""
    return BadData(f"{path} is there already: {why}", "move it away, or overwrite it with --force")


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Where `path` turns out to be no artifact, or not as it was written, that is the reason to leave it alone."""
    try:
        yield
    except BadArtifact as error:
        raise foreign(path, error.message.removeprefix(f"{path} ")) from None


def is_own(path: Path, folder: Path | None = None) -> bool:
    """Whether a plain file is as asd wrote it, by the ledger in `folder` (None: beside the file)."""
    folder = folder or path.parent
    name = path.relative_to(folder).as_posix()
    return path.is_file() and digest_bytes(path.read_bytes()) in _known(folder).get(name, ())


def check(path: Path, data: bytes | None = None, *, force: bool = False, folder: Path | None = None) -> None:
    """Raises BadData where a plain file is there that asd did not write, or that was changed since, or a folder.

    One that holds `data` already is not overwritten by it.
    """
    if path.is_dir():
        raise BadData(f"{path} is a folder", f"name a file: {path / 'NAME'}{path.suffix}")
    if force or not path.exists() or (data is not None and _holds(path, data)):
        return
    if not is_own(path, folder):
        raise foreign(path)


@contextlib.contextmanager
def written(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path, as `artifacts.atomic`, and remember what came to lie at `path`.

    Raises:
        BadData: as `check`.
    """
    check(path, force=force)
    with atomic(path) as temporary:
        yield temporary
        digest = digest_bytes(temporary.read_bytes())
        _remember(path.parent, {path.name: digest}, also_before=True)
    _remember(path.parent, {path.name: digest})


def write_files(folder: Path, files: Mapping[str, bytes], *, theirs: Collection[str] = ()) -> None:
    """Write files below `folder`, each whole or not at all, and remember them in its ledger, but for `theirs`.

    Those hold something that asd has not written and could not write again. A file that holds its bytes already stays.
    Whether the others may be written is for the caller to `check`, of all of them before the first.
    """
    wanted = {name: data for name, data in files.items() if not _holds(folder / name, data)}
    digests = {name: digest_bytes(data) for name, data in wanted.items() if name not in theirs}
    _remember(folder, digests, also_before=True)
    for name, data in wanted.items():
        with atomic(folder / name) as temporary:
            temporary.write_bytes(data)
    _remember(folder, {**digests, **dict.fromkeys(theirs)})


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def remove(folder: Path, names: Sequence[str]) -> None:
    """Remove files below `folder` that its ledger speaks of, and forget them; changed ones are only forgotten."""
    for name in names:
        if is_own(folder / name, folder):
            (folder / name).unlink()
    _remember(folder, dict.fromkeys(names))


def names(folder: Path) -> list[str]:
    """The files below `folder` that its ledger speaks of."""
    return sorted(_known(folder))


def _known(folder: Path) -> dict[str, list[str]]:
    """Name -> digests of what asd may have left there; nothing where there is no ledger, or one that cannot be read."""
    try:
        found = read_json(folder / LEDGER)
        return {str(name): [str(d) for d in digests] for name, digests in found.items()}
    except (OSError, ValueError, BadData, AttributeError, TypeError):
        return {}


def _remember(folder: Path, digests: Mapping[str, str | None], *, also_before: bool = False) -> None:
    """Note what lies, or is about to lie, at names below `folder`; None: nothing.

    While files are being put in their places the digests of before are kept too (`also_before`): whenever this process
    is killed, what lies there is known.
    """

    def change(known: dict[str, list[str]]) -> dict[str, list[str]]:
        for name, digest in digests.items():
            kept = known.pop(name, []) if also_before else []
            known[name] = list(dict.fromkeys([*kept, digest])) if digest else []
        return {name: found for name, found in sorted(known.items()) if found}

    if change(_known(folder)) == _known(folder):
        return
    with in_turn(folder / LEDGER), atomic(folder / LEDGER) as temporary:  # another command may write other files here
        temporary.write_text(json.dumps(change(_known(folder)), indent=1) + "\n", encoding="utf-8")
