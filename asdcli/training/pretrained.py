"""Pretrained weights of a backbone: a file, or a name of timm's that is fetched because it was asked for, or none."""

from __future__ import annotations

from pathlib import Path

from asdcli.errors import AsdError, UsageError, unknown_name
from asdcli.files import require_file
from asdcli.progress import Progress

_FILE = "model.safetensors"
_PATIENCE_S = 5.0


def weights_file(weights: str, backbone: str, progress: Progress) -> str | None:
    """The safetensors file of `weights`, None for `none`. Only a name that was asked for is ever fetched.

    Raises:
        UsageError: no such backbone or weights, or a file of another kind. AsdError: weights that cannot be fetched.
    """
    import timm

    if not timm.is_model(backbone):
        raise unknown_name("backbone", backbone, timm.list_models(), "timm.list_models()")
    if weights == "none":
        return None
    if Path(weights).exists():
        require_file(Path(weights))
        if Path(weights).suffix != ".safetensors":
            raise UsageError(f"{weights} is no safetensors file", "nothing is unpickled here: convert it first")
        return weights
    known = timm.list_pretrained(f"{backbone}*")
    if weights.split(".")[0] != backbone or weights not in known:
        raise unknown_name(f"weights of {backbone}", weights, ["none", *known], f"timm.list_pretrained('{backbone}*')")
    return _fetched(weights, str(getattr(timm.get_pretrained_cfg(weights), "hf_hub_id", "")), progress)


def _fetched(weights: str, repository: str, progress: Progress) -> str:
    """The file in the hub's cache, fetched into it where it is not there yet."""
    import httpx
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    try:
        return str(hf_hub_download(repository, _FILE, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        # the hub's own client asks six times before it gives up
        httpx.head(f"{constants.ENDPOINT}/{repository}/resolve/main/{_FILE}", timeout=_PATIENCE_S)
        progress.note(f"fetching {weights} from {repository} of {constants.ENDPOINT}")
        disable_progress_bars()  # nobody but the command line prints, and --quiet holds for it
        return str(hf_hub_download(repository, _FILE))
    except (httpx.HTTPError, OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise AsdError(
            f"cannot fetch {weights} from {constants.ENDPOINT}: {first}",
            f"fetch {_FILE} of {repository} elsewhere and name it: --weights FILE.safetensors",
        ) from None
