// Cells of the GW1N and GW2A that the vendor's models leave out or that Verilator does not take.

// The simulation steps the engine's clock: what comes in goes out, in lock at once.
module rPLL #(
    parameter FCLKIN = "",
    parameter DEVICE = "",
    parameter IDIV_SEL = 0,
    parameter FBDIV_SEL = 0,
    parameter ODIV_SEL = 0
) (
    input CLKIN, CLKFB, RESET, RESET_P,
    input [5:0] FBDSEL, IDSEL, ODSEL,
    input [3:0] PSDA, DUTYDA, FDLY,
    output CLKOUT, LOCK
);
    assign CLKOUT = CLKIN;
    assign LOCK = !RESET;
endmodule
