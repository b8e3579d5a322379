// SPDX-License-Identifier: Apache-2.0
// The command word of the composed machine and what its units share.
package machine_types;
    localparam int UNITS = 6;
    localparam int ARRAY = 0, VECTOR = 1, LOAD0 = 2, LOAD1 = 3, LOAD_C = 4, STORE_C = 5;
    localparam int ENGINES = 4;           // DMA: LOAD0, LOAD1, LOAD_C, STORE_C
    localparam int IDS = 1024;            // commands of a program
    localparam int SLOTS = 4;             // buffers of an operand, at most
    localparam int SLOT_BYTES = 4096;     // A, B: bytes of a buffer; C: 32-bit sums of a buffer
    localparam int MEMORY_BYTES = 131072;
    localparam int LANES = 16;            // bytes a cycle of the widest memory

    typedef struct packed {
        logic [13:0] unused;
        logic        gate;     // 1: only the stream waits for it, 0: the preload too
        logic        streamed; // 1: wait until the operands were read, 0: until the command is done
        logic [15:0] id;
    } dependency_t;

    // Sixteen 32-bit words; word 0 is the last member.
    typedef struct packed {
        dependency_t [7:0] dependency; // words 15 to 8
        logic [31:0] unused7;
        logic [31:0] elements;  // word 6, vector
        logic [31:0] address;   // word 5, of a move's first byte in memory
        logic [31:0] pitch;     // word 4, from row to row in memory
        logic [15:0] row_bytes; // word 3, high half
        logic [15:0] rows;
        logic [31:0] n;         // word 2
        logic [15:0] k;         // word 1
        logic [15:0] m;
        logic [1:0]  unused0;   // word 0
        logic [1:0]  operand;   // of a move: 0 = A, 1 = B, 2 = C sums, 3 = C converted
        logic [3:0]  b_slot;
        logic [3:0]  a_slot;
        logic [3:0]  slot;      // of a move; C of a matmul or vector
        logic [2:0]  unused1;
        logic        accumulate;
        logic [3:0]  dependencies;
        logic [3:0]  unit;
        logic [3:0]  unused2;
    } command_t;
endpackage
