"""The shape of the package: imports only go down, and `asd --help` is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "asdcli"
FLOORS = {
    part: floor
    for floor, parts in enumerate(
        (
            ("blas", "cores", "errors", "vocabulary", "progress", "outcome", "visible", "wording"),
            ("clips", "filenames", "files", "parquets", "spec", "writing", "zips"),
            ("artifacts", "catalogue", "audio", "fetch", "history", "layouts", "synthesis"),
            ("features", "models", "scorers", "metrics", "editions", "submission"),
            ("views", "embedders", "training"),
            ("detector", "page", "plots", "tracking"),
            ("stages",),
            ("pipeline",),
            ("sweep",),
            ("cli",),
        )
    )
    for part in parts
}
HELPERS = {
    "extract_shards": "extract_features",
    "embed_pieces": "embed",
    "index_layout": "index",
    "index_place": "index",
    "index_report": "index",
    "candidates": "tune",
    "label_free_bounds": "label_free",
    "check_judge": "check",
    "check_report": "check",
    "check_why": "check",
    "drift_words": "drift",
    "explain_words": "explain",
    "fuse_weights": "fuse",
    "report_parts": "report",
    "report_sounds": "report",
    "explain_picture": "explain",
    "explain_evidence": "explain",
    "threshold_report": "threshold",
    "submit_meta": "submit",
    "submit_costs": "submit",
    "evaluate_method": "evaluate",
    "table_varmin": "table",
    "table_compare": "table",
    "table_dns": "table",
    "table_means": "table_compare",
    "extract_faults": "extract_features",
    "train_apart": "train",
    "table_mends": "table_compare",
}
"""What only one stage may use, beside it -> that stage."""
MOST = 0.2  # of the package's lines, in one folder
HEAVY = {
    "ctypes",
    "numpy",
    "torch",
    "torchaudio",
    "sklearn",
    "librosa",
    "pyarrow",
    "matplotlib",
    "scipy",
    "imblearn",
    "pydantic",
    "httpx",
    "jinja2",
}
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


def test_no_stage_imports_another_stage() -> None:
    wrong = []
    for path in sorted((PACKAGE / "stages").glob("*.py")):
        for module in _imports(path):
            name = module.removeprefix("asdcli.stages.").partition(".")[0]
            if module.startswith("asdcli.stages.") and HELPERS.get(name) != path.stem:
                wrong.append(f"stages/{path.name} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_no_folder_holds_more_than_a_fifth_of_the_package() -> None:
    lines: dict[str, int] = {}
    for part, path in _files():
        lines[part] = lines.get(part, 0) + len(path.read_text().splitlines())
    largest = max(lines, key=lambda part: lines[part])
    assert lines[largest] <= MOST * sum(lines.values()), (
        f"{largest} has {lines[largest]} of {sum(lines.values())} lines"
    )


def test_no_class_name_means_two_things() -> None:
    places: dict[str, list[str]] = {}
    for _, path in _files():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_only_the_command_line_knows_the_terminal() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for part, path in _files()
        for module in _imports(path)
        if part != "cli" and module.split(".")[0] in TERMINAL
    ]
    assert not wrong, "\n".join(wrong)


def test_only_audio_opens_audio_and_nothing_uses_torchaudio() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for part, path in _files()
        for module in _imports(path)
        if (module.split(".")[0] == "soundfile" and part != "audio") or module.split(".")[0] == "torchaudio"
    ]
    assert not wrong, "\n".join(wrong)


def test_only_plots_draw() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for part, path in _files()
        for module in _imports(path)
        if module.split(".")[0] == "matplotlib" and part != "plots"
    ]
    assert not wrong, "\n".join(wrong)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, contextlib, io\n"
        "from asdcli.cli import call\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    assert call(['--help']) == 0\n"
        f"print(','.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_file_of_the_package_unpickles() -> None:
    for _, path in _files():
        assert not {"pickle", "joblib"} & _imports(path), path
        assert "allow_pickle=True" not in path.read_text(), path


def test_json_that_is_nested_too_deep_is_thought_of_wherever_json_is_read() -> None:
    own = {"pipeline/diagnosis/machine.py", "sweep/hands.py", "sweep/worker.py"}  # what a process of asd's own has said
    for _, path in _files():
        text = path.read_text()
        if "json.loads(" in text and path.relative_to(PACKAGE).as_posix() not in own:
            assert "RecursionError" in text, f"{path}: read it by asdcli.files.read_json, or catch RecursionError"
