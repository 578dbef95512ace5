"""Official scores: areas under ROC curves, each edition's rule as data, intervals, thresholds.

An official rule is one entry of `specs.SPECS`, a threshold rule a class and its entry in `threshold_rules`.
"""
