"""What `asd doctor` looks at, one module an area; each returns findings and changes nothing."""

from __future__ import annotations

from asdcli.pipeline.diagnosis.finding import Finding, State

__all__ = ["Finding", "State"]
