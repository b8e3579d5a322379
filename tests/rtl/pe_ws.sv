// SPDX-License-Identifier: Apache-2.0
// Weight-stationary processing element. One register on every way out: operand to the right, weight down, partial sum
// down. A weight word carries the row it is for and stays in the shadow register of that row; the first beat of a fold
// carries `swap` and makes the shadow the active weight from that very multiplication on.
module pe_ws #(
    parameter int ROW = 0
) (
    input  logic               clk,
    input  logic               swap_in,
    input  logic signed [7:0]  operand_in,
    input  logic               weight_valid_in,
    input  logic [7:0]         weight_row_in,
    input  logic signed [7:0]  weight_in,
    input  logic signed [31:0] sum_in,
    output logic               swap_out,
    output logic signed [7:0]  operand_out,
    output logic               weight_valid_out,
    output logic [7:0]         weight_row_out,
    output logic signed [7:0]  weight_out,
    output logic signed [31:0] sum_out
);
    logic signed [7:0] shadow, active, weight;
    assign weight = swap_in ? shadow : active;

    always_ff @(posedge clk) begin
        swap_out         <= swap_in;
        operand_out      <= operand_in;
        weight_valid_out <= weight_valid_in;
        weight_row_out   <= weight_row_in;
        weight_out       <= weight_in;
        sum_out          <= sum_in + 32'(operand_in) * 32'(weight);
        active           <= weight;
        if (weight_valid_in && weight_row_in == 8'(ROW)) shadow <= weight_in;
    end
endmodule
