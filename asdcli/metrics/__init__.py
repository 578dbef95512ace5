"""Official scores: areas under ROC curves, each edition's rule as data, intervals, thresholds.

An official rule is one entry of `specs.SPECS`, a threshold rule a class and one entry here.
"""

from __future__ import annotations

from asdcli.spec import Registry

RULES = Registry(
    "threshold rule",
    {
        "gamma": "asdcli.metrics.decisions:Gamma",
        "quantile": "asdcli.metrics.decisions:Quantile",
        "false-alarms": "asdcli.metrics.decisions:FalseAlarms",
    },
    needs=("fit", "doubt"),
)
DEFAULT_RULE = "gamma:quantile=0.9"
