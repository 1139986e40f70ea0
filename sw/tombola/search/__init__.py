"""Ticket search in PyTorch: function, module, preset, trainer."""
