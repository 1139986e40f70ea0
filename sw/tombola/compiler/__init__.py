"""From a ticket and an engine to descriptors, memory images and estimates."""

from tombola.compiler.program import Program, compile_ticket

__all__ = ["Program", "compile_ticket"]
