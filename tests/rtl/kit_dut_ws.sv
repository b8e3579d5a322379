// SPDX-License-Identifier: Apache-2.0
// The weight-stationary mesh as the device of an RTL kit (systole export rtl-kit).
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
    logic               swap_h[ROWS][COLS+1];
    logic signed [7:0]  operand_h[ROWS][COLS+1];
    logic               weight_valid_v[ROWS+1][COLS];
    logic [7:0]         weight_row_v[ROWS+1][COLS];
    logic signed [7:0]  weight_v[ROWS+1][COLS];
    logic signed [31:0] sum_v[ROWS+1][COLS];
    generate
        for (genvar r = 0; r < ROWS; r++) begin : mesh_row
            assign swap_h[r][0]    = left_valid[r] && left_index[r] == 0;
            assign operand_h[r][0] = left_valid[r] ? left[r][7:0] : 8'sd0;
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
        for (genvar c = 0; c < COLS; c++) begin : columns
            assign weight_valid_v[0][c] = weight_valid[c];
            assign weight_row_v[0][c]   = weight_index[c][7:0];
            assign weight_v[0][c]       = weight[c][7:0];
            assign sum_v[0][c]          = 0;
            for (genvar r = 0; r < ROWS; r++) begin : ways_out
                assign result[r][c] = r == 0 ? sum_v[ROWS][c] : 0;
            end
        end
    endgenerate
endmodule
