"""Official scores: areas under ROC curves, each edition's rule as data, intervals, thresholds."""
