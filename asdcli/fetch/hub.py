"""Weights by name from a hub of models: fetched once, with size, licence and digest shown, and never unasked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asdcli.errors import DownloadError
from asdcli.progress import Progress

PATIENCE_S = 2.0
"""For the hub's first answer: whoever has no network is told so at once."""

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Files that weights lie in, the best first."""

_BLOCK = 1 << 20
_OTHERWISE = "fetch its files where you can, and name the folder that holds them: checkpoint=FOLDER"


def fetched(name: str, beside: Sequence[str], progress: Progress) -> Path:
    """The folder in the hub's cache that the weights of `name` lie in; fetched into it where they are not there yet.

    Args:
        name: `owner/name`.
        beside: small files that are wanted with them, where there are such.
        progress: is told what is fetched, from where, how large it is and under which licence.

    Raises:
        DownloadError: no such name, no weights there, no answer, or other bytes than were promised.
    """
    from huggingface_hub import constants

    if (there := _cached(name)) is not None:
        return there
    said = _within_patience(name, constants.ENDPOINT)
    files = {str(file["rfilename"]): file for file in said.get("siblings", ())}
    weights = next((file for file in WEIGHTS if file in files), None)
    if weights is None:
        raise DownloadError(
            f"{name} has neither {' nor '.join(WEIGHTS)}", "fetch its weights and name the file: checkpoint=FILE"
        )
    size, sha256 = files[weights].get("size") or 0, (files[weights].get("lfs") or {}).get("sha256")
    licence = (said.get("cardData") or {}).get("license") or "not stated"
    told = f"{size / 1e6:,.1f} MB, licence {licence}, sha256 {sha256 or 'not stated'}"
    progress.note(f"fetching {weights} of {name} from {constants.ENDPOINT}, once: {told}")
    wanted = [*(file for file in beside if file in files), weights]
    path = _download(name, wanted, constants.ENDPOINT)
    if sha256 and _sha256(path) != sha256:
        path.resolve().unlink()  # else the next call would find it in the cache, and ask nobody
        path.unlink(missing_ok=True)
        raise DownloadError(
            f"what came as {weights} is not the file that {name} promises, and was removed", "try again"
        )
    return path.parent


def _cached(name: str) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for file in WEIGHTS:
        try:
            return Path(hf_hub_download(name, file, local_files_only=True)).parent
        except LocalEntryNotFoundError:
            continue
    return None


def _download(name: str, files: Sequence[str], endpoint: str) -> Path:
    """Fetch the files; the path of the last."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import disable_progress_bars
    from huggingface_hub.utils.logging import set_verbosity_error

    disable_progress_bars()  # nobody but the command line prints, and --quiet holds for it
    set_verbosity_error()
    # which client the hub's own library has, and so what it raises, changes with its version
    raised: Any = tuple(cls for cls in HfHubHTTPError.__mro__ if issubclass(cls, Exception) and cls is not Exception)
    try:
        return [Path(hf_hub_download(name, file, endpoint=endpoint)) for file in files][-1]
    except (*raised, ValueError, RuntimeError) as error:
        raise _cannot(name, endpoint, error) from None


def _within_patience(name: str, endpoint: str) -> Mapping[str, Any]:
    """What the hub says of `name`. Looking up the address counts into the patience, which no client's limit does."""
    import httpx

    found: list[httpx.Response] = []
    failed: list[Exception] = []

    def ask() -> None:
        try:
            found.append(httpx.get(f"{endpoint}/api/models/{name}?blobs=true", timeout=PATIENCE_S))
        except (httpx.HTTPError, OSError, ValueError) as error:
            failed.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    if not found:
        raise _cannot(name, endpoint, failed[0] if failed else TimeoutError(f"no answer in {PATIENCE_S:.0f} s"))
    if found[0].status_code in (401, 403, 404):
        raise DownloadError(
            f"there is no checkpoint {name} here, nor one that is given to everybody at {endpoint}", _OTHERWISE
        )
    try:
        said = found[0].raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise _cannot(name, endpoint, error) from None
    return said if isinstance(said, dict) else {}


def _cannot(name: str, endpoint: str, error: Exception) -> DownloadError:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return DownloadError(f"there is no {name} here, and it cannot be fetched from {endpoint}: {first}", _OTHERWISE)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
