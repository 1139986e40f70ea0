"""Building and running Verilated models, cocotb benches and the virtual board."""
