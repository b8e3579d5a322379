// SPDX-License-Identifier: Apache-2.0
// The output-stationary mesh as the device of an RTL kit (systole export rtl-kit).
module dut #(
    parameter int ROWS = 1, COLS = 1
) (
    input  logic clk,
    input  logic [ROWS-1:0] left_valid, left_last,
    input  logic [ROWS-1:0][31:0] left, left_index,
    input  logic [COLS-1:0] top_valid, top_last, weight_valid, bias_valid,
    input  logic [COLS-1:0][31:0] top, top_index, weight, weight_index, bias, bias_index,
    output logic [ROWS-1:0][COLS-1:0][31:0] result
);
    logic               valid_h[ROWS][COLS+1], first_h[ROWS][COLS+1], last_h[ROWS][COLS+1];
    logic signed [7:0]  a_h[ROWS][COLS+1], b_v[ROWS+1][COLS];
    logic signed [31:0] result_h[ROWS][COLS+1];
    logic               arrives, draining = 0, shift;
    logic [15:0]        column = 0;
    // The last PE has copied so long after the fold's last beat entered the first.
    delay_line #(.WIDTH(1), .DEPTH(ROWS + COLS)) wave (.clk, .in(left_valid[0] && left_last[0]), .out(arrives));
    assign shift = arrives || draining;
    always_ff @(posedge clk)
        if (shift) begin
            column   <= arrives ? 1 : column + 1;
            draining <= (arrives ? 1 : column + 1) < 16'(COLS);
        end
    generate
        for (genvar r = 0; r < ROWS; r++) begin : mesh_row
            assign valid_h[r][0]     = left_valid[r];
            assign first_h[r][0]     = left_index[r] == 0;
            assign last_h[r][0]      = left_last[r];
            assign a_h[r][0]         = left[r][7:0];
            assign result_h[r][COLS] = 0;
            for (genvar c = 0; c < COLS; c++) begin : mesh_column
                pe_os pe (
                    .clk,
                    .valid_in(valid_h[r][c]), .first_in(first_h[r][c]), .last_in(last_h[r][c]),
                    .a_in(a_h[r][c]), .b_in(b_v[r][c]), .shift, .result_in(result_h[r][c+1]),
                    .valid_out(valid_h[r][c+1]), .first_out(first_h[r][c+1]), .last_out(last_h[r][c+1]),
                    .a_out(a_h[r][c+1]), .b_out(b_v[r+1][c]), .result_out(result_h[r][c])
                );
                assign result[r][c] = result_h[r][0]; // one way out a row, at column 0
            end
        end
        for (genvar c = 0; c < COLS; c++) begin : columns
            assign b_v[0][c] = top[c][7:0];
        end
    endgenerate
endmodule
