// SPDX-License-Identifier: Apache-2.0
// Output-stationary processing element. Operands pass to the right and down, one register a hop. The sum of a fold is
// complete one period after its last beat; it is then copied into the shift register, which moves one column to the left
// a period while `shift` is high.
module pe_os (
    input  logic               clk,
    input  logic               valid_in,
    input  logic               first_in,
    input  logic               last_in,
    input  logic signed [7:0]  a_in,
    input  logic signed [7:0]  b_in,
    input  logic               shift,
    input  logic signed [31:0] result_in,
    output logic               valid_out,
    output logic               first_out,
    output logic               last_out,
    output logic signed [7:0]  a_out,
    output logic signed [7:0]  b_out,
    output logic signed [31:0] result_out
);
    logic signed [31:0] sum;
    logic               complete;

    always_ff @(posedge clk) begin
        valid_out <= valid_in;
        first_out <= first_in;
        last_out  <= last_in;
        a_out     <= a_in;
        b_out     <= b_in;
        if (valid_in) sum <= (first_in ? 32'sd0 : sum) + 32'(a_in) * 32'(b_in);
        complete <= valid_in && last_in;
        if (complete) result_out <= sum;
        else if (shift) result_out <= result_in;
    end
endmodule
