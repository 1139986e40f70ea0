"""Tombola turns a strong lottery ticket, a seed and a mask, into an FPGA engine."""
