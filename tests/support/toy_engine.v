// A stand-in for the engine: its host bus and register map around a toy network.
//
// Activations hold tensors of 64 bytes, tensor t in words 16t .. 16t+15. Layer k (descriptor: ticket
// word 2 + k) makes each byte of tensor k+1 from tensor k by adding the descriptor's value; one with
// bit 31 set makes 4 logits: sum of all bytes + logit index x value. Bit 30 ends the run.
//
// Ticket words 0 and 1 choose a fault, so that one build serves all tests: word 0 is one of FAULT_*,
// word 1 what it applies to.
module tombola_engine (
    input clk,
    input rst,
    input requests__valid,
    output requests__ready,
    input [56:0] requests__payload,
    output reg responses__valid,
    input responses__ready,
    output reg [31:0] responses__payload,
    output reg done,
    output reg busy
);
    localparam FAULT_VALUE = 1;      // byte (logit) `target[7:0]` of layer `target[15:8]` is off by 1
    localparam FAULT_RUN_HANGS = 2;
    localparam FAULT_BUS_HANGS = 3;  // no request is taken any more
    localparam FAULT_MUTE = 4;       // no read is answered any more
    localparam FAULT_ERROR = 5;      // each run ends with error code `target`
    localparam FAULT_WINNER = 6;
    localparam FAULT_ONCE = 7;       // all logits of the run number `target` are off by 1
    localparam FAULT_NOT_DONE = 8;   // runs end without `done`
    localparam CLOCKS = 50;          // of one layer

    reg [31:0] ticket [0:1023];
    reg [31:0] table_ [0:1023];
    reg [31:0] activations [0:1023];
    reg [31:0] results [0:15];
    reg [31:0] mark, fault, target, cycles;
    reg [7:0] error;
    integer runs, layer, clocks, i, j, sum, value;

    wire [23:0] address = requests__payload[23:0];
    wire [31:0] data = requests__payload[55:24];
    wire write = requests__payload[56];
    wire [9:0] word = address[9:0];

    // Takes a request only when the answer before is gone, and pauses now and then.
    reg [2:0] pause;
    assign requests__ready = (!responses__valid || responses__ready) && pause != 0
        && fault != FAULT_BUS_HANGS;
    wire fault_here = fault == FAULT_VALUE && layer == target[15:8];
    wire fault_once = fault == FAULT_ONCE && runs == target;

    task run_layer;
        begin
            value = ticket[2 + layer];
            if (value[31]) begin
                sum = 0;
                for (i = 0; i < 16; i = i + 1)
                    for (j = 0; j < 4; j = j + 1) sum = sum + activations[16 * layer + i][8 * j +: 8];
                for (i = 0; i < 4; i = i + 1)
                    results[i] = sum + i * value[29:0] + (fault_here && i == target[7:0]) + fault_once;
            end else begin
                for (i = 0; i < 16; i = i + 1)
                    for (j = 0; j < 4; j = j + 1)
                        activations[16 * (layer + 1) + i][8 * j +: 8] =
                            activations[16 * layer + i][8 * j +: 8] + value[7:0]
                            + (fault_here && 4 * i + j == target[7:0]);
            end
        end
    endtask

    always @(posedge clk) begin
        pause <= pause + 1;
        if (responses__ready) responses__valid <= 0;
        if (busy) begin
            cycles <= cycles + 1;
            clocks = clocks + 1;
            if (clocks == CLOCKS && fault != FAULT_RUN_HANGS) begin
                run_layer;
                clocks = 0;
                layer = layer + 1;
                if (value[30]) begin
                    busy <= 0;
                    done <= fault != FAULT_NOT_DONE;
                    if (fault == FAULT_ERROR) error <= target[7:0];
                end
            end
        end
        if (requests__valid && requests__ready && write) begin
            case (address[23:20])
                4'd1: begin
                    ticket[word] <= data;
                    if (word == 0) fault <= data;
                    if (word == 1) target <= data;
                end
                4'd2: table_[word] <= data;
                4'd3: activations[word] <= data;
                default:
                    case (address[7:0])
                        8'h09: if (data == 1) begin
                            busy <= 1;
                            done <= 0;
                            cycles <= 0;
                            clocks = 0;
                            layer = 0;
                            runs = runs + 1;
                        end else error <= 0;
                        8'h0B: mark <= data;
                        default: error <= 3;
                    endcase
            endcase
        end
        if (requests__valid && requests__ready && !write && fault != FAULT_MUTE) begin
            responses__valid <= 1;
            case (address[23:20])
                4'd1: responses__payload <= ticket[word];
                4'd3: responses__payload <= activations[word];
                4'd4: responses__payload <= results[word[3:0]];
                default:
                    case (address[7:0])
                        8'h00: responses__payload <= 32'h544F4D42;
                        8'h01: responses__payload <= 3;
                        8'h02: responses__payload <= {16'd4, 16'd4};
                        8'h03: responses__payload <= {16'd24, 3'd0, 5'd16, 8'd4};
                        8'h04: responses__payload <= 64;
                        8'h05: responses__payload <= {8'd1, 24'd1024};
                        8'h06: responses__payload <= 1024;
                        8'h07: responses__payload <= 512;
                        8'h08: responses__payload <= 16;
                        8'h0A: responses__payload <= {16'd0, error, 6'd0, done, busy};
                        8'h0B: responses__payload <= mark;
                        8'h0C: responses__payload <= fault == FAULT_WINNER ? 1 : 3;
                        8'h0D: responses__payload <= cycles;
                        8'h0E: responses__payload <= cycles - 10;
                        default: responses__payload <= 0;
                    endcase
            endcase
        end
        if (rst) begin
            responses__valid <= 0;
            pause <= 0;
            busy <= 0;
            done <= 0;
            error <= 0;
            cycles <= 0;
            fault <= 0;
            runs = 0;
        end
    end
endmodule
