// SPDX-License-Identifier: Apache-2.0
// DEPTH registers one behind the other; 0 = a wire.
module delay_line #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 1
) (
    input  logic             clk,
    input  logic [WIDTH-1:0] in,
    output logic [WIDTH-1:0] out
);
    generate
        if (DEPTH == 0) begin : wire_only
            assign out = in;
        end else begin : registers
            logic [WIDTH-1:0] stage[DEPTH];
            always_ff @(posedge clk) begin
                stage[0] <= in;
                for (int i = 1; i < DEPTH; i++) stage[i] <= stage[i-1];
            end
            assign out = stage[DEPTH-1];
        end
    endgenerate
endmodule
