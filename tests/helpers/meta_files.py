"""Meta files of submissions as their authors leave them."""

from __future__ import annotations

from pathlib import Path

AUTHORS = """\
  authors:
    - lastname: Doe   # mine
      firstname: Jane
      email: jane@example.org
      corresponding: true
      affiliation: {abbreviation: Lab, institute: The Lab, location: Here}
"""
_OWN = ("  name:", "  abbreviation:", "    acoustic_features:", "    total_parameters: !!null")


def finished(text: str) -> str:
    """The meta file that asd wrote, with all that only its authors know."""
    lines = []
    for line in text.splitlines(keepends=True):
        if line.startswith(_OWN):
            word = "7" if "total_parameters" in line else "mine"
            line = f"{line.partition(':')[0]}: {word}\n"
        lines.append(line)
    text = "".join(lines)
    start, end = text.index("  authors:"), text.index("\nsystem:")
    return text[:start] + AUTHORS + text[end:]


def finish(folder: Path) -> Path:
    """Fill in the meta file of a system's folder; returns it."""
    path = folder / f"{folder.name}.meta.yaml"
    path.write_text(finished(path.read_text()))
    return path
