"""Ticket and geometry become descriptors, a memory image and a cycle and area estimate."""
