"""Torch modules and losses: tensors in, tensors out; no files, no paths."""
