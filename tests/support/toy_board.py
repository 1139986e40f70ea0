"""A board of two gates for the simulation of boards: what comes on its line goes back."""

import json
from pathlib import Path

VERILOG = """
module top(input clk_0__io, input uart_0__rx__io, output uart_0__tx__io, output led_0__io);
    wire clock;
    PLL pll(.in(clk_0__io), .out(clock));
    core core(.clock(clock), .rx(uart_0__rx__io), .tx(uart_0__tx__io), .heard(led_0__io));
endmodule

module core(input clock, rx, output reg tx = 1, output reg heard = 1);
    wire busy = 0;
    always @(posedge clock) begin
        tx <= rx;
        heard <= heard & rx;
    end
endmodule
"""

CELLS = """
(* blackbox *)
module EMPTY(input in, output out);
endmodule

module PLL(input in, output out);
    assign out = in;
endmodule
"""

DESCRIPTION = {
    "board": "toy",
    "family": "ecp5",
    "top": "top",
    "pins": {
        "clock": "clk_0__io",
        "rx": "uart_0__rx__io",
        "tx": "uart_0__tx__io",
        "lamps": [{"state": "error", "pin": "led_0__io", "active_low": True}],
    },
    "busy": "core.busy",
    "clock_hz": 1_000_000,
    "divisor": 8,
    "settle_clocks": 1000,
    "cells": ["PLL"],
}


def write_board(folder: Path, *, verilog: str = VERILOG, **changes) -> Path:
    """A folder as `tombola_boards.virtual.write_virtual` makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "top.v").write_text(verilog)
    (folder / "vendor_cells.v").write_text(CELLS)
    (folder / "virtual.json").write_text(json.dumps({**DESCRIPTION, **changes}))
    return folder
