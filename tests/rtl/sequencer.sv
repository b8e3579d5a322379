// SPDX-License-Identifier: Apache-2.0
// Issues the program's commands in order to the queues of their units, as many in a period as there is room for, and
// stops at the first one whose queue is full. A place that a unit frees in a period is filled in it: the command is at
// the unit in the next.
module sequencer
    import machine_types::*;
(
    input  logic        clk,
    input  logic        start, // one period before the machine's period 0
    input  logic        run,
    input  logic [31:0] commands,
    input  logic [31:0] depth, // of a queue, at most 64
    input  logic [3:0]  unit_of[IDS],
    input  logic        pop[UNITS],
    output logic        head_valid[UNITS],
    output logic [15:0] head_id[UNITS],
    // the array looks at its queue by position
    output logic [15:0] array_tail,
    input  logic [15:0] array_position,
    output logic [15:0] array_id
);
    localparam int WIDTH = 64; // commands a period at most
    logic [15:0] queue[UNITS][64];
    logic [15:0] head[UNITS], tail[UNITS]; // positions since the start
    logic [31:0] next;

    always_comb begin
        for (int u = 0; u < UNITS; u++) begin
            head_valid[u] = run && head[u] != tail[u];
            head_id[u]    = queue[u][6'(head[u])];
        end
        array_tail = tail[ARRAY];
        array_id   = queue[ARRAY][6'(array_position)];
    end

    logic [31:0] next_n;
    logic [15:0] head_n[UNITS], tail_n[UNITS];
    logic        blocked;
    always_ff @(posedge clk) begin
        next_n  = next;
        blocked = 0;
        for (int u = 0; u < UNITS; u++) begin
            head_n[u] = head[u] + 16'(pop[u]);
            tail_n[u] = tail[u];
        end
        if (!start && !run) begin
            next_n = 0;
            for (int u = 0; u < UNITS; u++) begin
                head_n[u] = 0;
                tail_n[u] = 0;
            end
        end else
            for (int i = 0; i < WIDTH; i++)
                if (!blocked && next_n < commands) begin
                    automatic logic [3:0] u = unit_of[10'(next_n)];
                    if (32'(tail_n[u] - head_n[u]) < depth) begin
                        queue[u][6'(tail_n[u])] <= next_n[15:0];
                        tail_n[u] = tail_n[u] + 1;
                        next_n    = next_n + 1;
                    end else blocked = 1;
                end
        next <= next_n;
        for (int u = 0; u < UNITS; u++) begin
            head[u] <= head_n[u];
            tail[u] <= tail_n[u];
        end
    end
endmodule
