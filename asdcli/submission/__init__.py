"""What the challenge takes: names and rows of each edition's CSVs, the meta file, and what can be wrong with them."""
