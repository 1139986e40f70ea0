"""Comparison in LUTs: on an ECP5 a carry chain for a byte takes twice the cells."""

from amaranth import Mux, Value


def exceeds(a: Value, b: Value) -> Value:
    """``a > b`` for two values of the same shape."""
    shape, other = a.shape(), b.shape()
    if shape != other:
        raise TypeError(f"exceeds compares values of one shape, not {shape} and {other}")
    pairs = list(zip(a, b, strict=True))
    if shape.signed:
        pairs[-1] = pairs[-1][::-1]  # of two signs the lower one is the greater
    greater = 0
    for x, y in pairs:
        greater = Mux(x ^ y, x, greater)
    return greater
