// SPDX-License-Identifier: Apache-2.0
// Converts the sums of a tile to int8 in place: arithmetic shift, then saturation; `lanes` elements a period behind
// `startup` periods.
module vector_unit
    import machine_types::*;
(
    input  logic        clk,
    input  logic        run,
    input  logic [31:0] startup,
    input  logic [31:0] lanes, // at most LANES
    input  logic        head_valid,
    input  logic [15:0] head_id,
    input  command_t    head_command,
    input  logic        head_ready,
    output logic        pop,
    output logic        busy,
    output logic        lane_valid[LANES],
    output logic [31:0] lane_address[LANES],
    output logic        done,
    output logic [15:0] done_id
);
    logic        working;
    logic [31:0] warm, warm_now, at, at_now, elements, elements_now;
    logic [15:0] id;
    logic [3:0]  slot, slot_now;

    always_comb begin
        pop          = run && head_valid && head_ready && !working;
        busy         = pop || working;
        warm_now     = pop ? startup : warm;
        at_now       = pop ? 0 : at;
        elements_now = pop ? head_command.elements : elements;
        slot_now     = pop ? head_command.slot : slot;
        done_id      = pop ? head_id : id;
        done         = busy && warm_now == 0 && at_now + lanes >= elements_now;
        for (int i = 0; i < LANES; i++) begin
            lane_valid[i]   = busy && warm_now == 0 && i < lanes && at_now + i < elements_now;
            lane_address[i] = 32'(slot_now) * SLOT_BYTES + at_now + i;
        end
    end
    always_ff @(posedge clk) begin
        if (!run) working <= 0;
        else if (busy) begin
            working  <= !done;
            warm     <= warm_now == 0 ? 0 : warm_now - 1;
            at       <= warm_now == 0 ? at_now + lanes : at_now;
            elements <= elements_now;
            slot     <= slot_now;
            id       <= done_id;
        end
    end
endmodule
