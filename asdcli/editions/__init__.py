"""An edition's archives, where they come from, which are there, and the table of their clips."""
