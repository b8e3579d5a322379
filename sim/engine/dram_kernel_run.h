/* SPDX-License-Identifier: Apache-2.0 */
/* The table of entry points of one vector width: constant numbers of registers over the banks and over the groups. */
#define RUN_FUNCTION(style, banks, groups)                                                                             \
    static int32_t style##_run_##banks##_##groups(struct sy_dram_channel *ch, int32_t limit, unsigned stop)            \
    {                                                                                                                  \
        return style##_run(ch, limit, stop, (banks) / SY_LANES, (groups) / SY_LANES);                                  \
    }
#define RUN_FUNCTIONS(style)                                                                                           \
    RUN_FUNCTION(style, 16, 8)                                                                                         \
    RUN_FUNCTION(style, 32, 8)                                                                                         \
    RUN_FUNCTION(style, 32, 16)                                                                                        \
    RUN_FUNCTION(style, 64, 16)                                                                                        \
    RUN_FUNCTION(style, 64, 64)
RUN_FUNCTIONS(pb)
RUN_FUNCTIONS(ba)

static void kernel_offer(struct sy_dram_channel *ch, bool write, uint32_t bank)
{
    ba_offer(ch, write, bank);
}

#define KERNEL(label)                                                                                                  \
    {                                                                                                                  \
        .name = label,                                                                                                 \
        .run = {{pb_run_16_8, pb_run_32_8, pb_run_32_16, pb_run_64_16, pb_run_64_64},                                  \
                {ba_run_16_8, ba_run_32_8, ba_run_32_16, ba_run_64_16, ba_run_64_64}},                                 \
        .offer = kernel_offer                                                                                          \
    }
