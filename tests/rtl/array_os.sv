// SPDX-License-Identifier: Apache-2.0
// Output-stationary array unit: the mesh, its skew registers, and the controller that walks the folds of a command.
//
// A fold streams K beats, a column of A and a row of B a period. Sums are copied into a shift register a PE and leave at
// column 0, a column a period. The copies follow the wavefront; shifting begins when the last PE has copied. The next
// fold's first PE must not copy before the registers are empty, so last beats keep ROWS + 2 COLS - 2 periods between
// them; the controller knows K and holds the first beat back. Folds: M inner, N outer.
module array_unit
    import machine_types::*;
#(
    parameter int ROWS = 4,
    parameter int COLS = 4,
    localparam int RESULTS = ROWS > COLS ? ROWS : COLS
) (
    input  logic     clk,
    input  logic     run,
    // queue of issued commands; position counts all that ever entered
    input  logic [15:0] queue_tail,
    output logic [15:0] preload_position,
    input  logic [15:0] preload_id,
    input  command_t preload_command,
    input  logic     preload_ready,   // its weights are there
    output logic [15:0] stream_id,    // whose dependencies stream_ready tells
    input  logic     stream_ready,
    output logic     pop,
    // buffers, read in the same period
    output logic [31:0] a_address[ROWS],
    output logic        a_read,
    input  logic signed [7:0] a_data[ROWS],
    output logic [31:0] b_address[COLS],
    input  logic signed [7:0] b_data[COLS],
    // results on the port
    output logic        result_valid[RESULTS],
    output logic        result_accumulate[RESULTS],
    output logic [31:0] result_address[RESULTS],
    output logic signed [31:0] result_data[RESULTS],
    // events for the scoreboard, in the period before they count
    output logic        streamed,
    output logic [15:0] streamed_id,
    output logic        fold_done[RESULTS],
    output logic [15:0] fold_done_id[RESULTS],
    output logic [15:0] pop_folds,
    output logic        beat
);
    typedef struct packed {
        logic        last, accumulate;
        logic [15:0] id, m0, n0, rows, columns, m, k, n;
        logic [3:0]  a_slot, b_slot, slot;
    } fold_t;
    localparam int HOLD = ROWS + 2 * COLS - 2;
    localparam int WAVE = ROWS + COLS; // last beat on the port -> its first column on the port

    function automatic logic [15:0] least(logic [15:0] a, logic [15:0] b);
        return a < b ? a : b;
    endfunction

    // ---- controller ----
    // The command whose folds go on (more), else the head of the queue.
    logic [15:0] position, m0, n0, step, step_now, since_last;
    logic        more, streaming, fold_start, first_fold, room;
    fold_t       next_fold, stream_fold, fold_now;
    logic        beat_last;

    assign preload_position = position;
    always_comb begin
        first_fold           = !more;
        next_fold.rows       = least(16'(ROWS), preload_command.m - m0);
        next_fold.columns    = least(16'(COLS), preload_command.n[15:0] - n0);
        next_fold.last       = m0 + 16'(ROWS) >= preload_command.m && n0 + 16'(COLS) >= preload_command.n[15:0];
        next_fold.accumulate = preload_command.accumulate;
        next_fold.id         = preload_id;
        next_fold.m0         = m0;
        next_fold.n0         = n0;
        next_fold.m          = preload_command.m;
        next_fold.k          = preload_command.k;
        next_fold.n          = preload_command.n[15:0];
        next_fold.a_slot     = preload_command.a_slot;
        next_fold.b_slot     = preload_command.b_slot;
        next_fold.slot       = preload_command.slot;
        room       = since_last + preload_command.k - 1 >= 16'(HOLD);
        fold_start = run && position < queue_tail && !streaming && room &&
                     (!first_fold || (preload_ready && stream_ready));
        fold_now   = fold_start ? next_fold : stream_fold;
        step_now   = fold_start ? 16'd0 : step;
        beat       = fold_start || streaming;
        beat_last  = beat && step_now + 1 == fold_now.k;
        a_read     = beat;
        for (int r = 0; r < ROWS; r++)
            a_address[r] = 32'(fold_now.a_slot) * SLOT_BYTES + (32'(fold_now.m0) + r) * 32'(fold_now.k) + 32'(step_now);
        for (int c = 0; c < COLS; c++)
            b_address[c] = 32'(fold_now.b_slot) * SLOT_BYTES + 32'(step_now) * 32'(fold_now.n) + 32'(fold_now.n0) + c;
        stream_id   = preload_id;
        pop         = fold_start && first_fold;
        pop_folds   = 16'((32'(preload_command.m) + ROWS - 1) / ROWS * ((preload_command.n + COLS - 1) / COLS));
        streamed    = beat_last && fold_now.last;
        streamed_id = fold_now.id;
    end
    always_ff @(posedge clk) begin
        if (!run) begin
            position   <= 0;
            m0         <= 0;
            n0         <= 0;
            more       <= 0;
            streaming  <= 0;
            since_last <= 16'h4000;
        end else begin
            if (fold_start) begin
                stream_fold <= next_fold;
                more        <= !next_fold.last;
                if (next_fold.last) position <= position + 1;
                if (m0 + 16'(ROWS) < next_fold.m) m0 <= m0 + 16'(ROWS);
                else begin
                    m0 <= 0;
                    n0 <= next_fold.last ? 16'd0 : n0 + 16'(COLS);
                end
            end
            if (beat) begin
                step      <= step_now + 1;
                streaming <= !beat_last;
            end
            if (beat_last) since_last <= 1;
            else if (since_last < 16'h4000) since_last <= since_last + 1;
        end
    end

    // ---- skew and mesh ----
    logic               valid_h[ROWS][COLS+1], first_h[ROWS][COLS+1], last_h[ROWS][COLS+1];
    logic signed [7:0]  a_h[ROWS][COLS+1], b_v[ROWS+1][COLS];
    logic signed [31:0] result_h[ROWS][COLS+1];
    logic               shift;

    generate
        for (genvar r = 0; r < ROWS; r++) begin : row_skew
            logic [10:0] in, out;
            assign in = {beat, fold_start, beat_last, 16'(r) < fold_now.rows ? a_data[r] : 8'sd0};
            delay_line #(.WIDTH(11), .DEPTH(r)) skew (.clk, .in, .out);
            assign {valid_h[r][0], first_h[r][0], last_h[r][0], a_h[r][0]} = out;
            assign result_h[r][COLS] = 0;
        end
        for (genvar c = 0; c < COLS; c++) begin : column_skew
            logic [7:0] in, out;
            assign in = 16'(c) < fold_now.columns ? b_data[c] : 8'sd0;
            delay_line #(.WIDTH(8), .DEPTH(c)) skew (.clk, .in, .out);
            assign b_v[0][c] = out;
        end
        for (genvar r = 0; r < ROWS; r++) begin : mesh_row
            for (genvar c = 0; c < COLS; c++) begin : mesh_column
                pe_os pe (
                    .clk,
                    .valid_in(valid_h[r][c]), .first_in(first_h[r][c]), .last_in(last_h[r][c]),
                    .a_in(a_h[r][c]), .b_in(b_v[r][c]), .shift, .result_in(result_h[r][c+1]),
                    .valid_out(valid_h[r][c+1]), .first_out(first_h[r][c+1]), .last_out(last_h[r][c+1]),
                    .a_out(a_h[r][c+1]), .b_out(b_v[r+1][c]), .result_out(result_h[r][c])
                );
            end
        end
    endgenerate

    // ---- results: the fold's tag arrives when the last PE has copied; then COLS periods of shifting ----
    localparam int TAG = 1 + $bits(fold_t);
    logic [TAG-1:0] tag_in, tag_out;
    fold_t          arriving, leaving_fold, leaving;
    logic           arrives, draining;
    logic [15:0]    column, column_now;
    assign tag_in = {run && beat_last, fold_now};
    delay_line #(.WIDTH(TAG), .DEPTH(WAVE)) tags (.clk, .in(tag_in), .out(tag_out));
    assign {arrives, arriving} = tag_out;
    always_comb begin
        leaving    = arrives ? arriving : leaving_fold;
        column_now = arrives ? 16'd0 : column;
        shift      = run && (arrives || draining);
        for (int i = 0; i < RESULTS; i++) begin
            result_valid[i]      = 0;
            result_accumulate[i] = leaving.accumulate;
            result_address[i]    = 0;
            result_data[i]       = 0;
            fold_done[i]         = 0;
            fold_done_id[i]      = leaving.id;
            if (i < ROWS) begin
                result_valid[i]   = shift && column_now < leaving.columns && 16'(i) < leaving.rows;
                result_address[i] = 32'(leaving.slot) * SLOT_BYTES + (32'(leaving.m0) + i) * 32'(leaving.n) +
                                    32'(leaving.n0) + 32'(column_now);
                result_data[i]    = result_h[i][0];
            end
        end
        fold_done[0] = shift && column_now + 1 == leaving.columns;
    end
    always_ff @(posedge clk) begin
        if (!run) draining <= 0;
        else begin
            if (arrives) leaving_fold <= arriving;
            if (shift) begin
                column   <= column_now + 1;
                draining <= column_now + 1 < 16'(COLS);
            end
        end
    end
endmodule
