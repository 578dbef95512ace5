"""The stages, one file each, called as their commands: artifacts in, artifacts out; no terminal, and no other stage."""
