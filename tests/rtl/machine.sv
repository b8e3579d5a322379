// SPDX-License-Identifier: Apache-2.0
// The composed machine: sequencer, queues, scoreboard, DMA engines, memory, ping-pong buffers, array, accumulators and
// vector unit on one clock. Which array: the file that defines module array_unit.
//
// The scoreboard holds two bits a command: its operands were read, it is done. A unit starts the command at the head of
// its queue when it is free and every bit the command names is set.
module machine
    import machine_types::*;
#(
    parameter int ROWS = 4,
    parameter int COLS = 4,
    localparam int RESULTS = ROWS > COLS ? ROWS : COLS
) (
    input  logic        clk,
    input  logic        start,
    input  logic        run,
    input  logic [31:0] commands, queue_depth,
    input  logic [31:0] overhead, latency, burst,
    input  logic [31:0] memory_mode, memory_bytes, engine_cap, memory_gap,
    input  logic [31:0] vector_startup, vector_lanes, vector_shift,
    input  logic        stationary_weights, // which dependencies a preload waits for
    // loading and reading, while the machine does not run
    input  logic        write_memory, write_program,
    input  logic [31:0] access_address, access_data,
    output logic [31:0] read_memory, read_start, read_streamed, read_done,
    output logic [31:0] cycle, busy_array, busy_vector, busy_engine[ENGINES],
    output logic        finished
);
    logic [7:0]         memory[MEMORY_BYTES];
    logic signed [7:0]  a_buffer[SLOTS*SLOT_BYTES], b_buffer[SLOTS*SLOT_BYTES], converted[SLOTS*SLOT_BYTES];
    logic signed [31:0] sums[SLOTS*SLOT_BYTES];
    command_t           program_store[IDS];
    logic [3:0]         unit_of[IDS];
    logic [IDS-1:0]     streamed_bit, done_bit;
    logic [31:0]        start_cycle[IDS], streamed_cycle[IDS], done_cycle[IDS];
    logic [15:0]        folds_left[IDS];

    // ---- sequencer and dependencies ----
    logic        pop[UNITS], head_valid[UNITS], head_ready[UNITS];
    logic [15:0] head_id[UNITS];
    command_t    head[UNITS];
    logic [15:0] array_tail, array_position, array_id, stream_id;
    command_t    array_command;
    logic        preload_ready, stream_ready;

    sequencer issue (.clk, .start, .run, .commands, .depth(queue_depth), .unit_of, .pop, .head_valid, .head_id, .array_tail,
                     .array_position, .array_id);

    // gates: bit 0 looks at dependencies of the preload, bit 1 at those of the stream only
    function automatic logic met(command_t command, logic [1:0] gates);
        met = 1;
        for (int i = 0; i < 8; i++)
            if (i < command.dependencies && gates[command.dependency[i].gate])
                met = met && (command.dependency[i].streamed ? streamed_bit[command.dependency[i].id[9:0]]
                                                             : done_bit[command.dependency[i].id[9:0]]);
    endfunction
    always_comb begin
        for (int u = 0; u < UNITS; u++) begin
            head[u]       = program_store[head_id[u][9:0]];
            head_ready[u] = met(head[u], 2'b11);
        end
        array_command = program_store[array_id[9:0]];
        preload_ready = met(array_command, stationary_weights ? 2'b01 : 2'b11);
        stream_ready  = met(program_store[stream_id[9:0]], 2'b11);
    end

    // ---- array ----
    logic [31:0]        a_address[ROWS], b_address[COLS], result_address[RESULTS];
    logic signed [7:0]  a_data[ROWS], b_data[COLS];
    logic               result_valid[RESULTS], result_accumulate[RESULTS], fold_done[RESULTS], a_read, streamed, beat;
    logic signed [31:0] result_data[RESULTS];
    logic [15:0]        fold_done_id[RESULTS], streamed_id, pop_folds;
    always_comb begin
        for (int r = 0; r < ROWS; r++) a_data[r] = a_buffer[14'(a_address[r])];
        for (int c = 0; c < COLS; c++) b_data[c] = b_buffer[14'(b_address[c])];
    end
    array_unit #(.ROWS(ROWS), .COLS(COLS)) array (
        .clk, .run, .queue_tail(array_tail), .preload_position(array_position), .preload_id(array_id),
        .preload_command(array_command), .preload_ready, .stream_id, .stream_ready, .pop(pop[ARRAY]), .a_address, .a_read,
        .a_data, .b_address, .b_data, .result_valid, .result_accumulate, .result_address, .result_data, .streamed,
        .streamed_id, .fold_done, .fold_done_id, .pop_folds, .beat
    );

    // ---- vector unit ----
    logic        vector_valid[LANES], vector_done, vector_busy;
    logic [31:0] vector_address[LANES];
    logic [15:0] vector_id;
    vector_unit vector (
        .clk, .run, .startup(vector_startup), .lanes(vector_lanes), .head_valid(head_valid[VECTOR]),
        .head_id(head_id[VECTOR]), .head_command(head[VECTOR]), .head_ready(head_ready[VECTOR]), .pop(pop[VECTOR]),
        .busy(vector_busy), .lane_valid(vector_valid), .lane_address(vector_address), .done(vector_done),
        .done_id(vector_id)
    );
    function automatic logic signed [7:0] convert(logic signed [31:0] sum);
        logic signed [31:0] scaled = sum >>> vector_shift[4:0];
        return scaled > 127 ? 8'sd127 : scaled < -128 ? -8'sd128 : scaled[7:0];
    endfunction

    // ---- DMA and memory ----
    logic [31:0] want[ENGINES], grant[ENGINES];
    logic        engine_busy[ENGINES];
    logic        lane_valid[ENGINES][LANES], engine_done[ENGINES][2];
    logic [31:0] lane_memory[ENGINES][LANES], lane_buffer[ENGINES][LANES];
    logic [1:0]  lane_operand[ENGINES][LANES];
    logic [15:0] engine_done_id[ENGINES][2];
    generate
        for (genvar e = 0; e < ENGINES; e++) begin : engines
            dma_engine #(.WRITES(e == ENGINES - 1)) engine (
                .clk, .run, .overhead, .latency, .burst, .head_valid(head_valid[LOAD0+e]), .head_id(head_id[LOAD0+e]),
                .head_command(head[LOAD0+e]), .head_ready(head_ready[LOAD0+e]), .pop(pop[LOAD0+e]), .busy(engine_busy[e]),
                .want(want[e]), .grant(grant[e]), .lane_valid(lane_valid[e]), .lane_memory(lane_memory[e]),
                .lane_buffer(lane_buffer[e]), .lane_operand(lane_operand[e]), .done(engine_done[e]),
                .done_id(engine_done_id[e])
            );
        end
    endgenerate
    memory_arbiter arbiter (.clk, .run, .mode(memory_mode), .bytes(memory_bytes), .cap(engine_cap), .gap(memory_gap), .want,
                            .grant);

    // ---- data ----
    always_ff @(posedge clk) begin
        if (write_memory)
            for (int i = 0; i < 4; i++) memory[17'(access_address + i)] <= access_data[8*i+:8];
        if (run) begin
            for (int e = 0; e < ENGINES; e++)
                for (int i = 0; i < LANES; i++)
                    if (lane_valid[e][i]) begin
                        if (e == ENGINES - 1)
                            memory[17'(lane_memory[e][i])] <= lane_operand[e][i] == 2
                                ? sums[14'(lane_buffer[e][i] >> 2)][8*lane_buffer[e][i][1:0]+:8]
                                : converted[14'(lane_buffer[e][i])];
                        else case (lane_operand[e][i])
                            0: a_buffer[14'(lane_buffer[e][i])] <= memory[17'(lane_memory[e][i])];
                            1: b_buffer[14'(lane_buffer[e][i])] <= memory[17'(lane_memory[e][i])];
                            default:
                                sums[14'(lane_buffer[e][i] >> 2)][8*lane_buffer[e][i][1:0]+:8] <=
                                    memory[17'(lane_memory[e][i])];
                        endcase
                    end
            for (int i = 0; i < RESULTS; i++)
                if (result_valid[i])
                    sums[14'(result_address[i])] <= result_data[i] +
                        (result_accumulate[i] ? sums[14'(result_address[i])] : 0);
            for (int i = 0; i < LANES; i++)
                if (vector_valid[i]) converted[14'(vector_address[i])] <= convert(sums[14'(vector_address[i])]);
        end
    end

    // ---- program ----
    always_ff @(posedge clk)
        if (write_program) begin
            program_store[access_address[13:4]][32*access_address[3:0]+:32] <= access_data;
            if (access_address[3:0] == 0) unit_of[access_address[13:4]] <= access_data[7:4];
        end

    // ---- scoreboard and counters ----
    logic [31:0] remaining;
    logic [31:0] remaining_n;
    logic [15:0] folds_n;
    assign finished = run && remaining == 0;
    always_ff @(posedge clk) begin
        if (!run) begin
            cycle       <= 0;
            remaining   <= commands;
            busy_array  <= 0;
            busy_vector <= 0;
            for (int e = 0; e < ENGINES; e++) busy_engine[e] <= 0;
            streamed_bit <= 0;
            done_bit     <= 0;
        end else begin
            cycle       <= cycle + 1;
            busy_array  <= busy_array + 32'(beat);
            busy_vector <= busy_vector + 32'(vector_busy);
            remaining_n = remaining;
            for (int u = 0; u < UNITS; u++)
                if (pop[u] && u != ARRAY) start_cycle[head_id[u][9:0]] <= cycle;
            if (pop[ARRAY]) begin
                start_cycle[stream_id[9:0]] <= cycle;
                folds_left[stream_id[9:0]] = pop_folds;
            end
            for (int e = 0; e < ENGINES; e++) begin
                busy_engine[e] <= busy_engine[e] + 32'(engine_busy[e]);
                for (int i = 0; i < 2; i++)
                    if (engine_done[e][i]) begin
                        done_bit[engine_done_id[e][i][9:0]]       <= 1;
                        streamed_bit[engine_done_id[e][i][9:0]]   <= 1;
                        done_cycle[engine_done_id[e][i][9:0]]     <= cycle + 1;
                        streamed_cycle[engine_done_id[e][i][9:0]] <= cycle + 1;
                        remaining_n = remaining_n - 1;
                    end
            end
            if (vector_done) begin
                done_bit[vector_id[9:0]]       <= 1;
                streamed_bit[vector_id[9:0]]   <= 1;
                done_cycle[vector_id[9:0]]     <= cycle + 1;
                streamed_cycle[vector_id[9:0]] <= cycle + 1;
                remaining_n = remaining_n - 1;
            end
            if (streamed) begin
                streamed_bit[streamed_id[9:0]]   <= 1;
                streamed_cycle[streamed_id[9:0]] <= cycle + 1;
            end
            for (int i = 0; i < RESULTS; i++)
                if (fold_done[i]) begin
                    folds_n = folds_left[fold_done_id[i][9:0]] - 1;
                    folds_left[fold_done_id[i][9:0]] = folds_n;
                    if (folds_n == 0) begin
                        done_bit[fold_done_id[i][9:0]]   <= 1;
                        done_cycle[fold_done_id[i][9:0]] <= cycle + 1;
                        remaining_n = remaining_n - 1;
                    end
                end
            remaining <= remaining_n;
        end
    end

    assign read_memory   = {memory[17'(access_address+3)], memory[17'(access_address+2)], memory[17'(access_address+1)],
                            memory[17'(access_address)]};
    assign read_start    = start_cycle[access_address[9:0]];
    assign read_streamed = streamed_cycle[access_address[9:0]];
    assign read_done     = done_cycle[access_address[9:0]];
endmodule
