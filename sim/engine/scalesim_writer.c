/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim parity: the ofmap buffer.
 *
 * Words are packed into lines of `bandwidth` words. When more than half the
 * SRAM is used and no drain is in progress, the line being filled is closed
 * with padding and up to half an SRAM of lines, oldest first, drains at one
 * line a cycle. While a drain is in progress words go on coming in; when no
 * space is left the array stalls until the drain's last cycle.
 *
 * The tool subtracts the padding of the last line of a drain only; padding in
 * earlier lines counts as words written and as space gained.
 *
 * Invariants: drained <= lines, current < bandwidth, padded[head .. tail) are
 * lines >= drained, rising.
 */
#include "sim/engine/scalesim_internal.h"

#include <stdlib.h>

#include "sim/base/checked.h"

void sy_ss_writer_make(const struct sy_ss_plan *plan, struct sy_ss_writer *writer)
{
    const struct sy_scalesim_config *config = plan->config;
    uint64_t total = config->sram_kb[SY_SCALESIM_OFMAP] * 1024; /* even */
    *writer = (struct sy_ss_writer){0};
    writer->bandwidth = config->user_bandwidth ? config->bandwidth[SY_SCALESIM_OFMAP] : config->cols;
    writer->total = writer->free_words = (int64_t)total;
    writer->drain_words = (int64_t)(total / 2);
    writer->drain_lines = sy_ceil_div(total / 2, writer->bandwidth);
}

static void close_line(struct sy_ss_writer *writer)
{
    if (writer->current == 0)
        return;
    if (writer->tail == writer->capacity) {
        /* Move to the front, or grow when most of it is in use. */
        uint64_t used = writer->tail - writer->head;
        if (used * 2 >= writer->capacity) {
            uint64_t capacity = writer->capacity ? writer->capacity * 2 : 64;
            void *grown = realloc(writer->padded, capacity * sizeof *writer->padded);
            if (!grown) {
                writer->out_of_memory = true;
                return;
            }
            writer->padded = grown;
            writer->capacity = capacity;
        }
        for (uint64_t i = 0; i < used; i++)
            writer->padded[i] = writer->padded[writer->head + i];
        writer->head = 0;
        writer->tail = used;
    }
    writer->padded[writer->tail++] = (struct sy_ss_padded_line){writer->lines, writer->bandwidth - writer->current};
    writer->lines++;
    writer->current = 0;
}

/* Drain from a cycle on; at least one line is waiting. Sets drain_end. */
static void drain(struct sy_ss_writer *writer, int64_t cycle)
{
    uint64_t end = sy_min(writer->drained + writer->drain_lines, writer->lines), pad = 0;
    uint64_t lines = end - writer->drained;
    for (; writer->head < writer->tail && writer->padded[writer->head].line < end; writer->head++)
        pad = writer->padded[writer->head].line == end - 1 ? writer->padded[writer->head].pad : 0;
    uint64_t words = lines * writer->bandwidth - pad;
    writer->dram_words += words;
    writer->free_words += (int64_t)words;
    writer->drained = end;
    writer->drain_end = cycle + (int64_t)lines - 1;
    if (!writer->any)
        writer->dram_start = cycle;
    writer->any = true;
    writer->last_stop = writer->drain_end;
    if (writer->drain_end > writer->max_stop)
        writer->max_stop = writer->drain_end;
}

static void pack(struct sy_ss_writer *writer, uint64_t words)
{
    uint64_t packed = writer->current + words;
    if (packed >= writer->bandwidth) {
        writer->lines += packed / writer->bandwidth;
        packed %= writer->bandwidth;
    }
    writer->current = packed;
    writer->free_words -= (int64_t)words;
}

int64_t sy_ss_writer_put(struct sy_ss_writer *writer, uint64_t count, int64_t cycle)
{
    int64_t now = cycle;
    while (count > 0) {
        /* Words up to and including the one that changes something. */
        int64_t room = now < writer->drain_end ? writer->free_words
                                               : writer->free_words - (writer->total - writer->drain_words) + 1;
        uint64_t words = room < 1 ? 1 : (uint64_t)room;
        if (words > count) {
            pack(writer, count);
            break;
        }
        pack(writer, words);
        count -= words;
        if (now < writer->drain_end) {
            now = writer->drain_end;
        } else {
            close_line(writer);
            drain(writer, now);
        }
    }
    return now - cycle;
}

void sy_ss_writer_finish(struct sy_ss_writer *writer, int64_t cycle)
{
    close_line(writer);
    while (writer->drained < writer->lines && !writer->out_of_memory) {
        drain(writer, cycle);
        cycle = writer->drain_end + 1;
    }
}

void sy_ss_writer_free(struct sy_ss_writer *writer)
{
    free(writer->padded);
    writer->padded = NULL;
}
