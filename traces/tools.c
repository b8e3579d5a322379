/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with whole traces: sums over one, its text, its text in another container. */
#include "sim/base/checked.h"
#include "traces/reader.h"
#include "traces/writer.h"

/* ---- info ---- */

static bool count_layer(const struct sy_layer *layer, uint64_t times, struct sy_workload_totals *totals,
                        struct sy_trace_info *info)
{
    uint64_t macs;
    return sy_workload_count_layer(layer, times, totals) &&
           sy_add(info->op_count[layer->op], times, &info->op_count[layer->op]) &&
           sy_mul(times, sy_layer_macs(layer), &macs) &&
           sy_add(info->op_macs[layer->op], macs, &info->op_macs[layer->op]);
}

static enum sy_status keep_unmodelled(struct sy_arena *arena, const struct sy_unmodelled *item,
                                      struct sy_unmodelled ***end)
{
    struct sy_unmodelled *copy = sy_arena_alloc(arena, sizeof *copy);
    const char *op = sy_arena_strdup(arena, item->op);
    if (copy == NULL || op == NULL) {
        return SY_NOMEM;
    }
    *copy = (struct sy_unmodelled){.op = op, .count = item->count, .bytes = item->bytes};
    **end = copy;
    *end = &copy->next;
    return SY_OK;
}

static enum sy_status sum_records(struct sy_trace_reader *reader, const char *path, struct sy_arena *arena,
                                  struct sy_trace_info *info, struct sy_diag *diag)
{
    struct sy_workload_totals totals = {0};
    struct sy_unmodelled **unmodelled = &info->unmodelled;
    struct sy_trace_record record;
    enum sy_status status;
    do {
        status = sy_trace_next(reader, &record);
        bool fits = status != SY_OK ||
                    (record.kind == SY_TRACE_LAYER ? count_layer(&record.layer, sy_reader_times(reader), &totals, info)
                     : record.kind == SY_TRACE_UNREAD ? sy_workload_count_unread(&record.unread, &totals)
                                                      : true);
        if (!fits) {
            struct sy_where where = {.file = path, .line = (unsigned)record.line};
            (void)sy_error(diag, where, NULL, "the totals of the trace do not fit 64 bits");
            return SY_OVERFLOW;
        }
        if (status == SY_OK && record.kind == SY_TRACE_UNMODELLED) {
            status = keep_unmodelled(arena, &record.unmodelled, &unmodelled);
        }
    } while (status == SY_OK && record.kind != SY_TRACE_END);
    info->layers_unrolled = totals.layers;
    info->macs = totals.macs;
    info->parameters = totals.parameters;
    info->weight_bytes = totals.weight_bytes;
    info->activation_bytes = totals.activation_bytes;
    return status;
}

enum sy_status sy_trace_collect_info(const char *path, const void *data, size_t length, struct sy_arena *arena,
                                     struct sy_trace_info *info, struct sy_diag *diag)
{
    *info = (struct sy_trace_info){0};
    struct sy_trace_reader *reader;
    enum sy_status status = sy_trace_open(path, data, length, &reader, diag);
    if (status != SY_OK) {
        return status;
    }
    status = sum_records(reader, path, arena, info, diag);
    if (status == SY_OK) {
        const struct sy_trailer *trailer = sy_stream_trailer(sy_reader_stream(reader));
        info->records = sy_reader_state(reader)->record;
        info->text_bytes = sy_reader_state(reader)->text_offset;
        info->compressed_bytes = sy_stream_file_offset(sy_reader_stream(reader));
        info->has_index = trailer != NULL;
        info->blocks = trailer != NULL ? trailer->blocks : 0;
        info->name = sy_arena_strdup(arena, sy_trace_workload_name(reader));
        status = info->name == NULL ? SY_NOMEM : SY_OK;
    }
    sy_trace_close(reader);
    return status;
}

/* ---- text ---- */

static enum sy_status read_to_end(struct sy_trace_reader *reader)
{
    struct sy_trace_record record;
    enum sy_status status;
    do {
        status = sy_trace_next(reader, &record);
    } while (status == SY_OK && record.kind != SY_TRACE_END);
    return status;
}

struct cat {
    sy_trace_write_fn write;
    void *context;
    bool stopped;
};

static enum sy_status cat_line(void *context, const char *line, size_t length, int form)
{
    struct cat *cat = context;
    (void)form;
    cat->stopped = cat->write(cat->context, line, length) != 0;
    return cat->stopped ? SY_INTERRUPTED : SY_OK;
}

enum sy_status sy_trace_cat(const char *path, sy_trace_write_fn write, void *context, struct sy_diag *diag)
{
    struct cat cat = {.write = write, .context = context};
    struct sy_trace_reader *reader;
    enum sy_status status = sy_reader_open(path, NULL, 0, cat_line, &cat, &reader, diag);
    if (status == SY_OK) {
        status = read_to_end(reader);
        sy_trace_close(reader);
    }
    return cat.stopped ? SY_OK : status;
}

static enum sy_status pack_line(void *context, const char *line, size_t length, int form)
{
    struct sy_trace_writer *writer = context;
    enum sy_status status = sy_writer_put_line(writer, line, length);
    bool is_record = form >= 0 && form != SY_FORM_NET && form != SY_FORM_END;
    if (status == SY_OK && is_record) {
        sy_writer_count(writer, (enum sy_form)form);
    }
    return status;
}

enum sy_status sy_trace_pack(const char *path, const char *out_path, const struct sy_trace_writer_options *options,
                             struct sy_diag *diag)
{
    struct sy_trace_writer *writer;
    enum sy_status status = sy_writer_open(out_path, options, &writer, diag);
    if (status != SY_OK) {
        return status;
    }
    struct sy_trace_reader *reader = NULL;
    status = sy_reader_open(path, NULL, 0, pack_line, writer, &reader, diag);
    if (status == SY_OK) {
        status = read_to_end(reader);
    }
    sy_trace_close(reader);
    if (status != SY_OK) {
        sy_trace_abandon(writer);
        return status;
    }
    return sy_writer_close(writer);
}
