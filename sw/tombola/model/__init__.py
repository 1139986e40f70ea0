"""Bit-exact integer inference in PyTorch, and what leads to and from it."""
