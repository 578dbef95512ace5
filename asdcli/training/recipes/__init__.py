"""Recipes: how each kind of model is trained, from its parameters to its steps."""
