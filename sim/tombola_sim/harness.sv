// Clock, reset and mailbox around one engine: runs whole scripts of bus transactions by itself.
//
// Python writes a script to the file `script.bin` in the working folder and counts `go` up. The
// harness runs the script at the full rate of the bus, writes what was read to `responses.bin`
// (32-bit words, lowest byte first), sets `outcome` and counts `finished` up to `go`. So Python
// wakes once a script, never once a clock.
//
// A script is a list of 64-bit steps, highest byte first:
//   63..56 kind, 55..32 address, 31..0 data
//   kind 0: read the address
//   kind 1: write the data to the address
//   kind 2: all reads answered, wait until the engine is idle; `data` clocks at most
`timescale 1ns / 1ns

module tombola_harness;
    // An engine takes a request and answers a read in a few clocks; this many mean it never will.
    localparam BUS_LIMIT = 32'd10000;
    // Clocks from a written start to a `busy` that can be believed, with room for pipelines.
    localparam SETTLE = 32'd16;
    localparam RESET_CLOCKS = 4;

    localparam KIND_READ = 8'd0;
    localparam KIND_WRITE = 8'd1;
    localparam KIND_WAIT = 8'd2;

    localparam OUTCOME_COMPLETE = 2'd0;
    localparam OUTCOME_RUN_LIMIT = 2'd1;
    localparam OUTCOME_BUS_LIMIT = 2'd2;
    localparam OUTCOME_NO_SCRIPT = 2'd3;

    // The mailbox: the only signals that Python sees, which leaves the simulator free elsewhere.
    reg [31:0] go /* verilator public_flat_rw */ = 0;
    reg [31:0] finished /* verilator public_flat_rw */ = 0;
    reg [1:0] outcome /* verilator public_flat_rw */ = 0;
    reg [63:0] clocks /* verilator public_flat_rw */ = 0;

    reg clk = 0;
    always #1 clk = ~clk;

    reg rst = 1;
    reg request_valid = 0;
    reg [56:0] request = 0;
    wire request_ready, response_valid, done, busy;
    wire [31:0] response;

    tombola_engine engine (
        .clk(clk),
        .rst(rst),
        .requests__valid(request_valid),
        .requests__ready(request_ready),
        .requests__payload(request),
        .responses__valid(response_valid),
        .responses__ready(1'b1),
        .responses__payload(response),
        .done(done),
        .busy(busy)
    );

    integer script = 0;
    integer responses = 0;
    reg running = 0;
    reg waiting = 0;
    reg closing = 0;
    reg [63:0] step = 0;
    reg [31:0] unanswered = 0;
    reg [31:0] idle = 0;
    reg [31:0] limit = 0;

    task finish(input [1:0] result);
        begin
            if (script != 0) $fclose(script);
            if (responses != 0) $fclose(responses);
            script = 0;
            responses = 0;
            running = 0;
            request_valid <= 0;
            outcome <= result;
            finished <= go;
        end
    endtask

    always @(posedge clk) begin
        clocks <= clocks + 1;
        if (clocks == RESET_CLOCKS) rst <= 0;

        idle = idle + 1;
        if (running && response_valid) begin
            $fwrite(responses, "%u", response);
            unanswered = unanswered - 1;
            idle = 0;
        end
        if (running && request_valid && request_ready) begin
            request_valid <= 0;
            idle = 0;
            if (!request[56]) unanswered = unanswered + 1;
        end

        if (!running) begin
            if (go != finished && !rst) begin
                script = $fopen("script.bin", "rb");
                responses = $fopen("responses.bin", "wb");
                running = 1;
                waiting = 0;
                closing = 0;
                unanswered = 0;
                idle = 0;
                if (script == 0 || responses == 0) finish(OUTCOME_NO_SCRIPT);
            end
        end else if (request_valid && !request_ready) begin
            if (idle > BUS_LIMIT) finish(OUTCOME_BUS_LIMIT);
        end else if ((waiting || closing) && unanswered != 0) begin
            if (idle > BUS_LIMIT) finish(OUTCOME_BUS_LIMIT);
        end else if (closing) begin
            finish(OUTCOME_COMPLETE);
        end else if (waiting) begin
            if (idle > SETTLE && !busy) waiting = 0;
            else if (idle > limit) finish(OUTCOME_RUN_LIMIT);
        end else if ($fread(step, script) != 8) begin
            closing = 1;
        end else if (step[63:56] == KIND_WAIT) begin
            waiting = 1;
            idle = 0;
            limit = step[31:0];
        end else begin
            request_valid <= 1;
            request <= {step[63:56] == KIND_WRITE, step[31:0], step[55:32]};
        end
    end
endmodule
