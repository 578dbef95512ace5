"""Features: waveform packs, mel and log-mel frames, their statistics; arrays and tensors, no files."""
