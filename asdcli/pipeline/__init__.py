"""What knows a whole run: where its files lie, its chain of stages, each stage as a step on it, what ails it."""
