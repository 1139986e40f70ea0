"""The engine in Amaranth, one core per file."""
