// SPDX-License-Identifier: Apache-2.0
// Divides the memory's bytes of a period among the DMA engines that have bytes to move.
//   mode 0  one bus for reads and writes     mode 1  a port for each engine     mode 2  a read and a write channel
// A bus is divided by lanes: equal parts, and what an engine leaves of its part goes to the others. With gap > 1 (mode 1)
// a port moves its bytes in every gap-th period only, counted from the first period it has something to move.
module memory_arbiter
    import machine_types::*;
(
    input  logic        clk,
    input  logic        run,
    input  logic [31:0] mode,
    input  logic [31:0] bytes, // of a period
    input  logic [31:0] cap,   // of one engine
    input  logic [31:0] gap,
    input  logic [31:0] want[ENGINES],
    output logic [31:0] grant[ENGINES]
);
    logic [31:0] wait_count[ENGINES];
    logic [31:0] need[ENGINES];
    logic        served[ENGINES];

    logic [31:0] rest, count, part;
    logic        someone;

    // Mode 0: pool 0 is the bus. Mode 2: pool 0 reads, pool 1 writes, which the last engine does.
    function automatic logic in_pool(int engine, int pool);
        return mode == 0 ? pool == 0 : (engine == ENGINES - 1) == (pool == 1);
    endfunction

    always_comb begin
        rest    = 0;
        count   = 0;
        part    = 0;
        someone = 0;
        for (int e = 0; e < ENGINES; e++) begin
            need[e]   = want[e] < cap ? want[e] : cap;
            grant[e]  = 0;
            served[e] = need[e] == 0;
        end
        if (mode == 1) begin
            for (int e = 0; e < ENGINES; e++)
                if (wait_count[e] + 1 >= gap) grant[e] = need[e] < bytes ? need[e] : bytes;
        end else
            for (int pool = 0; pool < 2; pool++) begin
                rest = bytes;
                for (int round = 0; round < ENGINES; round++) begin
                    count = 0;
                    for (int e = 0; e < ENGINES; e++) if (!served[e] && in_pool(e, pool)) count += 1;
                    part    = count == 0 ? 0 : rest / count;
                    someone = 0;
                    for (int e = 0; e < ENGINES; e++)
                        if (!served[e] && in_pool(e, pool) && need[e] <= part) begin
                            grant[e]  = need[e];
                            served[e] = 1;
                            rest -= need[e];
                            someone = 1;
                        end
                    for (int e = 0; e < ENGINES; e++)
                        if (!someone && !served[e] && in_pool(e, pool)) begin
                            grant[e]  = part;
                            served[e] = 1;
                        end
                end
            end
    end

    always_ff @(posedge clk)
        for (int e = 0; e < ENGINES; e++)
            wait_count[e] <= run && mode == 1 && want[e] != 0 && wait_count[e] + 1 < gap ? wait_count[e] + 1 : 0;
endmodule
