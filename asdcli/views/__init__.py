"""Artifacts as what methods take: packs, embeddings and units, scores joined with the truth, samples and pools."""
