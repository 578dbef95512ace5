"""Official scores: areas under ROC curves, each edition's rule as data, intervals, thresholds.

An official rule is one entry of `specs.SPECS`, a threshold rule a class and one entry here.
"""

from __future__ import annotations

from asdcli.spec import Registry

RULES = Registry(
    "threshold rule",
    {
        "quantile": "asdcli.metrics.threshold_rules:Quantile",
        "gamma": "asdcli.metrics.threshold_rules:Gamma",
        "dcase-baseline": "asdcli.metrics.threshold_rules:DcaseBaseline",
        "false-alarms": "asdcli.metrics.threshold_rules:FalseAlarms",
    },
    needs=("fit", "doubt"),
)
EDITION_RULE, OWN_RULE = "dcase-baseline:quantile=0.9", "quantile:quantile=0.9"
"""The rules where none is asked for: of an edition of the catalogue, and of anybody's own recordings."""
