"""The contract: ticket, weight stream, integer arithmetic and register map."""
