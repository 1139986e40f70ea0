// Cells of the iCE40 that the vendor's models leave out or that Verilator does not take.

// The simulation steps the engine's clock: what comes in at the pad goes out, in lock at once.
module SB_PLL40_PAD #(
    parameter FEEDBACK_PATH = "",
    parameter PLLOUT_SELECT = "",
    parameter [3:0] DIVR = 0,
    parameter [6:0] DIVF = 0,
    parameter [2:0] DIVQ = 0,
    parameter [2:0] FILTER_RANGE = 0
) (
    input PACKAGEPIN, RESETB, BYPASS,
    output PLLOUTGLOBAL, PLLOUTCORE, LOCK
);
    assign PLLOUTGLOBAL = PACKAGEPIN;
    assign PLLOUTCORE = PACKAGEPIN;
    assign LOCK = RESETB;
endmodule

// A pad without registers: input, output, or output with enable.
module SB_IO #(
    parameter [5:0] PIN_TYPE = 0,
    parameter PULLUP = 0,
    parameter NEG_TRIGGER = 0,
    parameter IO_STANDARD = ""
) (
    inout PACKAGE_PIN,
    input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
    output D_IN_0, D_IN_1
);
    assign D_IN_0 = PACKAGE_PIN;
    assign D_IN_1 = 0;
    generate
        if (PIN_TYPE == 6'b000001) begin
        end else if (PIN_TYPE == 6'b011000 || PIN_TYPE == 6'b011001) begin
            assign PACKAGE_PIN = D_OUT_0;
        end else if (PIN_TYPE == 6'b101000 || PIN_TYPE == 6'b101001) begin
            assign PACKAGE_PIN = OUTPUT_ENABLE ? D_OUT_0 : 1'bz;
        end else begin
            $error("SB_IO: no model of PIN_TYPE %b", PIN_TYPE);
        end
    endgenerate
endmodule

module SB_PLL40_CORE #(
    parameter FEEDBACK_PATH = "",
    parameter PLLOUT_SELECT = "",
    parameter [3:0] DIVR = 0,
    parameter [6:0] DIVF = 0,
    parameter [2:0] DIVQ = 0,
    parameter [2:0] FILTER_RANGE = 0
) (
    input REFERENCECLK, RESETB, BYPASS,
    output PLLOUTGLOBAL, PLLOUTCORE, LOCK
);
    assign PLLOUTGLOBAL = REFERENCECLK;
    assign PLLOUTCORE = REFERENCECLK;
    assign LOCK = RESETB;
endmodule

// A pad beside a clock network, as an input.
module SB_GB_IO #(
    parameter [5:0] PIN_TYPE = 0,
    parameter PULLUP = 0,
    parameter NEG_TRIGGER = 0,
    parameter IO_STANDARD = ""
) (
    input PACKAGE_PIN,
    input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
    output D_IN_0, D_IN_1, GLOBAL_BUFFER_OUTPUT
);
    assign D_IN_0 = PACKAGE_PIN;
    assign D_IN_1 = 0;
    assign GLOBAL_BUFFER_OUTPUT = PACKAGE_PIN;
    generate
        if (PIN_TYPE != 6'b000001) $error("SB_GB_IO: no model of PIN_TYPE %b", PIN_TYPE);
    endgenerate
endmodule
