"""The shape of the package: imports only go down, and `asd --help` is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "asdcli"
FLOORS = {
    "errors": 0,
    "vocabulary": 0,
    "progress": 0,
    "clips": 1,
    "spec": 1,
    "artifacts": 2,
    "catalogue": 2,
    "audio": 2,
    "fetch": 2,
    "layouts": 2,
    "submission": 2,
    "synthesis": 2,
    "truth": 2,
    "features": 3,
    "metrics": 3,
    "models": 3,
    "scorers": 3,
    "embedders": 4,
    "training": 4,
    "stages": 5,
    "cli": 6,
}
HEAVY = {"torch", "torchaudio", "sklearn", "librosa", "pyarrow", "matplotlib", "scipy", "imblearn", "pydantic", "httpx"}
TERMINAL = ("typer", "rich")


def _imports(path: Path) -> set[str]:
    """Every module that a file imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return found


def _part(module: str) -> str | None:
    """`asdcli.scorers.varmin` -> `scorers`; None outside the package or for the package itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "asdcli" and len(parts) > 1 else None


def _files() -> list[tuple[str, Path]]:
    files = []
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part not in ("__init__", "__main__"):
            files.append((part, path))
    return files


def test_every_part_of_the_package_has_a_floor() -> None:
    assert {part for part, _ in _files()} <= set(FLOORS)


def test_imports_only_go_down() -> None:
    wrong = []
    for part, path in _files():
        for module in _imports(path):
            other = _part(module)
            if other in FLOORS and other != part and FLOORS[other] >= FLOORS[part]:
                wrong.append(
                    f"{path.relative_to(PACKAGE)} (floor {FLOORS[part]}) imports {module} (floor {FLOORS[other]})"
                )
    assert not wrong, "\n".join(wrong)


def test_only_the_command_line_knows_the_terminal() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for part, path in _files()
        for module in _imports(path)
        if part != "cli" and module.split(".")[0] in TERMINAL
    ]
    assert not wrong, "\n".join(wrong)


def test_only_audio_opens_audio_and_only_features_use_torchaudio() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for part, path in _files()
        for module in _imports(path)
        if (module.split(".")[0] == "soundfile" and part != "audio")
        or (module.split(".")[0] == "torchaudio" and part != "features")
    ]
    assert not wrong, "\n".join(wrong)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, contextlib, io\n"
        "from asdcli.cli import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    assert run(['--help']) == 0\n"
        f"print(','.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_file_of_the_package_unpickles() -> None:
    for _, path in _files():
        assert not {"pickle", "joblib"} & _imports(path), path
        assert "allow_pickle=True" not in path.read_text(), path
