/* SPDX-License-Identifier: Apache-2.0 */
/* The table of entry points of one vector width: a constant number of registers for 16, 32 and 64 banks. */
#define RUN_FUNCTION(style, banks)                                                                                     \
    static int32_t style##_run_##banks(struct sy_dram_channel *ch, int32_t limit, unsigned stop)                       \
    {                                                                                                                  \
        return style##_run(ch, limit, stop, (banks) / SY_LANES);                                                       \
    }
RUN_FUNCTION(pb, 16)
RUN_FUNCTION(pb, 32)
RUN_FUNCTION(pb, 64)
RUN_FUNCTION(ba, 16)
RUN_FUNCTION(ba, 32)
RUN_FUNCTION(ba, 64)

static void kernel_offer(struct sy_dram_channel *ch, bool write, uint32_t bank)
{
    ba_offer(ch, write, bank);
}

#define KERNEL(label)                                                                                                  \
    {                                                                                                                  \
        .name = label, .run = {{pb_run_16, pb_run_32, pb_run_64}, {ba_run_16, ba_run_32, ba_run_64}},                  \
        .offer = kernel_offer                                                                                          \
    }
