"""Losses that classifiers of normal sounds are trained with."""
