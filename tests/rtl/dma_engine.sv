// SPDX-License-Identifier: Apache-2.0
// A DMA engine with two descriptors. Each waits out its own overhead and then, for a read, the memory's latency; bytes
// move for the older one first, and for the younger one as soon as the older has none left, in the same period if the
// memory grants more. A descriptor moves rows of bytes, in memory by whole bursts (what lies beside the row is dropped),
// and packs them one behind the other in an on-chip buffer.
//
// Descriptor: free -> overhead -> latency -> moving -> free. One descriptor is taken up a period.
module dma_engine
    import machine_types::*;
#(
    parameter bit WRITES = 0
) (
    input  logic        clk,
    input  logic        run,
    input  logic [31:0] overhead, // periods, at least 1
    input  logic [31:0] latency,
    input  logic [31:0] burst,    // bytes, a power of two
    input  logic        head_valid,
    input  logic [15:0] head_id,
    input  command_t    head_command,
    input  logic        head_ready,
    output logic        pop,
    output logic        busy,
    // memory: bus bytes it could move in this period, and what it may
    output logic [31:0] want,
    input  logic [31:0] grant,
    // one lane a byte
    output logic        lane_valid[LANES],
    output logic [31:0] lane_memory[LANES],
    output logic [31:0] lane_buffer[LANES],
    output logic [1:0]  lane_operand[LANES],
    // completions, in the period before they count
    output logic        done[2],
    output logic [15:0] done_id[2]
);
    logic        used[2];  // [0] is the older
    logic [15:0] id[2];
    logic [31:0] overhead_left[2], latency_left[2];
    logic [31:0] left[2];  // bus bytes to go
    logic [31:0] row[2], at[2], span[2]; // row, bus byte in it, bus bytes of it
    logic [31:0] rows[2], row_bytes[2], pitch[2], address[2], base[2];
    logic [1:0]  operand[2];

    // One piece when rows lie one behind the other.
    logic [31:0] new_rows, new_row_bytes, new_left;
    function automatic logic [31:0] span_of(logic [31:0] from, logic [31:0] bytes);
        return ((from & (burst - 1)) + bytes + burst - 1) & ~(burst - 1);
    endfunction
    always_comb begin
        new_rows      = 32'(head_command.rows);
        new_row_bytes = 32'(head_command.row_bytes);
        if (head_command.pitch == new_row_bytes || new_rows == 1) begin
            new_row_bytes = new_rows * new_row_bytes;
            new_rows      = 1;
        end
        new_left = 0;
        for (int i = 0; i < 256; i++)
            if (i < new_rows) new_left += span_of(head_command.address + i * head_command.pitch, new_row_bytes);
    end

    logic moving[2];
    always_comb begin
        for (int i = 0; i < 2; i++) moving[i] = used[i] && overhead_left[i] == 0 && latency_left[i] == 0;
        want = (moving[0] ? left[0] : 0) + (moving[1] ? left[1] : 0);
        if (used[0] && !moving[0]) want = 0;
        pop  = run && head_valid && head_ready && !used[1];
        busy = run && (used[0] || used[1] || pop);
    end

    // The walk over the bytes granted.
    logic [31:0] row_n[2], at_n[2], span_n[2], left_n[2];
    logic        current;
    logic [31:0] skew;
    always_comb begin
        skew = 0;
        for (int i = 0; i < 2; i++) begin
            row_n[i]  = row[i];
            at_n[i]   = at[i];
            span_n[i] = span[i];
            left_n[i] = left[i];
        end
        current = 0;
        for (int i = 0; i < LANES; i++) begin
            lane_valid[i]   = 0;
            lane_memory[i]  = 0;
            lane_buffer[i]  = 0;
            lane_operand[i] = 0;
            if (i < grant) begin
                if (left_n[0] == 0) current = 1;
                skew            = (address[current] + row_n[current] * pitch[current]) & (burst - 1);
                lane_valid[i]   = at_n[current] >= skew && at_n[current] < skew + row_bytes[current];
                lane_memory[i]  = address[current] + row_n[current] * pitch[current] + at_n[current] - skew;
                lane_buffer[i]  = base[current] + row_n[current] * row_bytes[current] + at_n[current] - skew;
                lane_operand[i] = operand[current];
                at_n[current]   = at_n[current] + 1;
                left_n[current] = left_n[current] - 1;
                if (at_n[current] == span_n[current]) begin
                    at_n[current]   = 0;
                    row_n[current]  = row_n[current] + 1;
                    span_n[current] = span_of(address[current] + row_n[current] * pitch[current], row_bytes[current]);
                end
            end
        end
        for (int i = 0; i < 2; i++) begin
            done[i]    = moving[i] && left_n[i] == 0 && left[i] != 0;
            done_id[i] = id[i];
        end
    end

    logic keep_old, keep_young;
    logic place; // where a descriptor taken up in this period goes
    assign keep_old   = used[0] && !done[0];
    assign keep_young = used[1] && !done[1];
    assign place      = keep_old; // both used: no pop
    always_ff @(posedge clk) begin
        if (!run) begin
            used[0] <= 0;
            used[1] <= 0;
        end else begin
            // Progress; the younger one moves up when the older is done.
            for (int i = 0; i < 2; i++) begin
                automatic logic from = (!keep_old && i == 0) ? 1'b1 : 1'(i);
                used[i]          <= i == 0 ? (keep_old || keep_young) : (keep_old && keep_young);
                id[i]            <= id[from];
                overhead_left[i] <= overhead_left[from] != 0 ? overhead_left[from] - 1 : 0;
                latency_left[i]  <= overhead_left[from] == 0 && latency_left[from] != 0 ? latency_left[from] - 1
                                                                                        : latency_left[from];
                left[i]          <= left_n[from];
                row[i]           <= row_n[from];
                at[i]            <= at_n[from];
                span[i]          <= span_n[from];
                rows[i]          <= rows[from];
                row_bytes[i]     <= row_bytes[from];
                pitch[i]         <= pitch[from];
                address[i]       <= address[from];
                base[i]          <= base[from];
                operand[i]       <= operand[from];
            end
            if (pop) begin
                used[place]          <= 1;
                id[place]            <= head_id;
                overhead_left[place] <= overhead - 1;
                latency_left[place]  <= WRITES ? 0 : latency;
                left[place]          <= new_left;
                row[place]           <= 0;
                at[place]            <= 0;
                span[place]          <= span_of(head_command.address, new_row_bytes);
                rows[place]          <= new_rows;
                row_bytes[place]     <= new_row_bytes;
                pitch[place]         <= head_command.pitch;
                address[place]       <= head_command.address;
                operand[place]       <= head_command.operand;
                base[place]          <= 32'(head_command.slot) * SLOT_BYTES * (head_command.operand == 2 ? 4 : 1);
            end
        end
    end
endmodule
