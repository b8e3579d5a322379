// SPDX-License-Identifier: Apache-2.0
// Weight-stationary array unit: the mesh, its skew registers, and the controller that walks the folds of a command.
//
// Two engines share the mesh. The preload engine sends a fold's weights, a word for every column a period, as soon as
// the shadow registers are free: in the very period the first beat of the fold before enters, because words follow that
// beat's wavefront. The stream engine sends a beat a period once the weights are in. Folds: K inner, N outer.
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
        logic        valid, last, accumulate;
        logic [15:0] id, row, width, column, columns;
        logic [3:0]  slot;
    } tag_t;
    typedef struct packed {
        logic        first, last, accumulate;
        logic [15:0] id, k0, n0, rows, columns, m, k, n;
        logic [3:0]  a_slot, slot;
    } fold_t;

    function automatic logic [15:0] least(logic [15:0] a, logic [15:0] b);
        return a < b ? a : b;
    endfunction

    // ---- preload engine ----
    logic [15:0] position, k0, n0;  // the next fold to load
    logic        loading, shadow_full;
    logic [15:0] word;              // next word of the fold being loaded
    fold_t       shadow_fold, next_fold, loaded;
    logic        preload_start, stream_start;
    logic [15:0] word_now, n_total;

    always_comb begin
        n_total            = preload_command.n[15:0];
        next_fold.first    = k0 == 0 && n0 == 0;
        next_fold.rows     = least(16'(ROWS), preload_command.k - k0);
        next_fold.columns  = least(16'(COLS), n_total - n0);
        next_fold.last     = k0 + 16'(ROWS) >= preload_command.k && n0 + 16'(COLS) >= n_total;
        next_fold.accumulate = preload_command.accumulate || k0 != 0;
        next_fold.id       = preload_id;
        next_fold.k0       = k0;
        next_fold.n0       = n0;
        next_fold.m        = preload_command.m;
        next_fold.k        = preload_command.k;
        next_fold.n        = n_total;
        next_fold.a_slot   = preload_command.a_slot;
        next_fold.slot     = preload_command.slot;
        preload_start = run && position < queue_tail && preload_ready && !loading && (!shadow_full || stream_start);
        word_now      = preload_start ? 16'd0 : word;
        loaded        = preload_start ? next_fold : shadow_fold;
        for (int c = 0; c < COLS; c++)
            b_address[c] = 32'(preload_command.b_slot) * SLOT_BYTES + (32'(loaded.k0) + 32'(word_now)) * 32'(loaded.n) +
                           32'(loaded.n0) + c;
    end
    assign preload_position = position;

    // The buffer of B is addressed through the command being loaded, so its number stays until the last word.
    always_ff @(posedge clk) begin
        if (!run) begin
            position    <= 0;
            k0          <= 0;
            n0          <= 0;
            loading     <= 0;
            shadow_full <= 0;
        end else begin
            if (preload_start) shadow_fold <= next_fold;
            if (preload_start || loading) begin
                word    <= word_now + 1;
                loading <= word_now + 1 < loaded.rows;
                if (word_now + 1 == loaded.rows) begin
                    if (loaded.k0 + 16'(ROWS) < loaded.k) k0 <= loaded.k0 + 16'(ROWS);
                    else begin
                        k0 <= 0;
                        if (loaded.last) begin
                            n0       <= 0;
                            position <= position + 1;
                        end else n0 <= loaded.n0 + 16'(COLS);
                    end
                end
            end
            if ((preload_start || loading) && word_now + 1 == loaded.rows) shadow_full <= 1;
            else if (stream_start) shadow_full <= 0;
        end
    end

    // ---- stream engine ----
    fold_t       stream_fold, fold_now;
    logic        streaming;
    logic [15:0] row, row_now;
    logic        beat_last;

    always_comb begin
        stream_start = run && shadow_full && !streaming && (!shadow_fold.first || stream_ready);
        fold_now     = stream_start ? shadow_fold : stream_fold;
        row_now      = stream_start ? 16'd0 : row;
        beat         = stream_start || streaming;
        beat_last    = beat && row_now + 1 == fold_now.m;
        a_read       = beat;
        for (int r = 0; r < ROWS; r++)
            a_address[r] = 32'(fold_now.a_slot) * SLOT_BYTES + 32'(row_now) * 32'(fold_now.k) + 32'(fold_now.k0) + r;
        stream_id   = shadow_fold.id;
        pop         = stream_start && shadow_fold.first;
        pop_folds   = 16'((32'(shadow_fold.k) + ROWS - 1) / ROWS * ((32'(shadow_fold.n) + COLS - 1) / COLS));
        streamed    = beat_last && fold_now.last;
        streamed_id = fold_now.id;
    end

    always_ff @(posedge clk) begin
        if (!run) streaming <= 0;
        else begin
            if (stream_start) stream_fold <= shadow_fold;
            if (beat) begin
                row       <= row_now + 1;
                streaming <= !beat_last;
            end
        end
    end

    // ---- skew and mesh ----
    logic               swap_h[ROWS][COLS+1];
    logic signed [7:0]  operand_h[ROWS][COLS+1];
    logic               weight_valid_v[ROWS+1][COLS];
    logic [7:0]         weight_row_v[ROWS+1][COLS];
    logic signed [7:0]  weight_v[ROWS+1][COLS];
    logic signed [31:0] sum_v[ROWS+1][COLS];

    generate
        for (genvar r = 0; r < ROWS; r++) begin : row_skew
            logic [8:0] in, out;
            assign in = {stream_start, beat && 16'(r) < fold_now.rows ? a_data[r] : 8'sd0};
            delay_line #(.WIDTH(9), .DEPTH(r)) skew (.clk, .in, .out);
            assign {swap_h[r][0], operand_h[r][0]} = out;
        end
        for (genvar c = 0; c < COLS; c++) begin : column_skew
            logic [16:0] in, out;
            assign in = {preload_start || loading, word_now[7:0], 16'(c) < loaded.columns ? b_data[c] : 8'sd0};
            delay_line #(.WIDTH(17), .DEPTH(c)) skew (.clk, .in, .out);
            assign {weight_valid_v[0][c], weight_row_v[0][c], weight_v[0][c]} = out;
            assign sum_v[0][c] = 0;
        end
        for (genvar r = 0; r < ROWS; r++) begin : mesh_row
            for (genvar c = 0; c < COLS; c++) begin : mesh_column
                pe_ws #(.ROW(r)) pe (
                    .clk,
                    .swap_in(swap_h[r][c]), .operand_in(operand_h[r][c]),
                    .weight_valid_in(weight_valid_v[r][c]), .weight_row_in(weight_row_v[r][c]), .weight_in(weight_v[r][c]),
                    .sum_in(sum_v[r][c]),
                    .swap_out(swap_h[r][c+1]), .operand_out(operand_h[r][c+1]),
                    .weight_valid_out(weight_valid_v[r+1][c]), .weight_row_out(weight_row_v[r+1][c]),
                    .weight_out(weight_v[r+1][c]), .sum_out(sum_v[r+1][c])
                );
            end
        end
    endgenerate

    // ---- results: a beat's tag takes as many registers as its sums ----
    tag_t entering, leaving[COLS];
    always_comb begin
        entering.valid      = beat;
        entering.last       = beat_last;
        entering.accumulate = fold_now.accumulate;
        entering.id         = fold_now.id;
        entering.row        = row_now;
        entering.width      = fold_now.n;
        entering.column     = fold_now.n0;
        entering.columns    = fold_now.columns;
        entering.slot       = fold_now.slot;
        if (!run) entering.valid = 0;
    end
    generate
        for (genvar c = 0; c < COLS; c++) begin : tags
            tag_t in;
            if (c == 0) begin : from_port
                assign in = entering;
            end else begin : from_left
                assign in = leaving[c-1];
            end
            delay_line #(.WIDTH($bits(tag_t)), .DEPTH(c == 0 ? ROWS : 1)) line (.clk, .in(in), .out(leaving[c]));
        end
    endgenerate
    always_comb
        for (int i = 0; i < RESULTS; i++) begin
            result_valid[i]      = 0;
            result_accumulate[i] = 0;
            result_address[i]    = 0;
            result_data[i]       = 0;
            fold_done[i]         = 0;
            fold_done_id[i]      = 0;
            if (i < COLS) begin
                result_valid[i]      = leaving[i].valid && 16'(i) < leaving[i].columns;
                result_accumulate[i] = leaving[i].accumulate;
                result_address[i]    = 32'(leaving[i].slot) * SLOT_BYTES + 32'(leaving[i].row) * 32'(leaving[i].width) +
                                       32'(leaving[i].column) + i;
                result_data[i]       = sum_v[ROWS][i];
                fold_done[i]         = leaving[i].valid && leaving[i].last && 16'(i) + 1 == leaving[i].columns;
                fold_done_id[i]      = leaving[i].id;
            end
        end
endmodule
