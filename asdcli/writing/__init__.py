"""Writing files so that nobody ever sees half of one, and no two programs write the same at once."""
