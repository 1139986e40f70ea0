"""Tickets of graph networks: multicoated, N:M and folded masks over one graph, searched at once."""
