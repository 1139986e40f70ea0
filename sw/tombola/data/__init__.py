"""Data sets: where they come from, how they are checked, how they are loaded."""
