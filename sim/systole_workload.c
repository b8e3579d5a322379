/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: workloads, traces, lists and validation. No logic of its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/json.h"
#include "sim/include/systole.h"
#include "sim/report/report_format.h"
#include "sim/systole_internal.h"
#include "sim/validate/suite.h"
#include "traces/trace.h"

static bool is_trace_head(const char *data, size_t length)
{
    static const char magic[] = "systole-trace";
    return (length > 2 && (unsigned char)data[0] == 0x1f && (unsigned char)data[1] == 0x8b) ||
           (length >= sizeof magic - 1 && !memcmp(data, magic, sizeof magic - 1));
}

static enum sy_status take_import_options(const struct systole_import_options *options, struct sy_import_options *mine,
                                          struct sy_diag *diag)
{
    const struct {
        const char *name;
        enum sy_dtype *to;
        bool *given;
    } types[] = {{options->activation, &mine->activation, &mine->has_activation},
                 {options->weight, &mine->weight, &mine->has_weight},
                 {options->accumulator, &mine->accumulator, &mine->has_accumulator},
                 {options->kv, &mine->kv, &mine->has_kv}};
    *mine = (struct sy_import_options){.batch = options->batch,
                                       .context = options->context,
                                       .contexts = options->contexts,
                                       .kv_page = options->kv_page,
                                       .tensor_parallel = options->tensor_parallel,
                                       .new_tokens = options->new_tokens,
                                       .phase = options->phase,
                                       .kind = options->kind,
                                       .routing = options->routing,
                                       .allow_unmodelled = options->allow_unmodelled != 0,
                                       .dims = options->dims};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!types[i].name)
            continue;
        *types[i].given = true;
        if (!sy_dtype_parse(types[i].name, types[i].to)) {
            sy_error(diag, SY_NOWHERE, "for example int8, bf16, fp16, fp8", "number format '%s' is not known",
                     types[i].name);
            return SY_USAGE;
        }
    }
    mine->has_dtype = mine->has_activation || mine->has_weight || mine->has_accumulator;
    return SY_OK;
}

/* Groups to fuse: marked in a model's records; kept aside for a trace, which stays as it is. */
static enum sy_status take_fusion(const char *const *fuse, struct systole_workload *made, struct sy_diag *diag)
{
    enum sy_status status = SY_OK;
    uint32_t count = 0;
    while (fuse && fuse[count])
        count++;
    if (!count)
        return SY_OK;
    if (count > SY_FUSE_CHOICES) {
        sy_error(diag, SY_NOWHERE, NULL, "%u groups are to be fused, at most %d are possible", count, SY_FUSE_CHOICES);
        return SY_USAGE;
    }
    made->fuse = calloc(count, sizeof *made->fuse);
    if (!made->fuse)
        return SY_NOMEM;
    for (uint32_t i = 0; i < count && status == SY_OK; i++)
        status = sy_fuse_parse(fuse[i], &made->fuse[i], diag);
    made->fuses = count;
    if (status != SY_OK || !made->workload)
        return status;
    made->fuses = 0;
    return sy_fuse_mark(made->workload, made->fuse, count, diag);
}

/* Import a model and keep it beside the text of its trace, which runs read. */
static enum sy_status import_model(const char *format, const struct sy_import_options *options,
                                   struct systole_workload *made, struct sy_diag *diag)
{
    struct sy_buf text = {0};
    struct sy_trace_writer_options plain = {.plain = true, .memory = &text};
    enum sy_status status = sy_import_file(made->path, format, options, &made->workload, diag);
    if (status == SY_OK)
        status = take_fusion(made->request.fuse, made, diag);
    if (status == SY_OK)
        status = sy_trace_write_workload(made->path, made->workload, &plain, diag);
    if (status == SY_OK && !(made->name = strdup(made->workload->name)))
        status = SY_NOMEM;
    if (status != SY_OK) {
        sy_buf_free(&text);
        return status;
    }
    made->text = text.data;
    made->length = text.length;
    return SY_OK;
}

/* Hash of a file, and whether it is a trace, in constant memory: traces may be larger than memory. */
static enum sy_status scan_file(const char *path, char sha256[65], bool *is_trace, struct sy_diag *diag)
{
    enum { PIECE = 1 << 16 };
    struct sy_where where = {.file = path};
    struct stat info;
    struct sy_sha256 sha;
    FILE *file = stat(path, &info) ? NULL : S_ISDIR(info.st_mode) ? (errno = EISDIR, NULL) : fopen(path, "rb");
    char *piece = malloc(PIECE);
    if (!file || !piece) {
        enum sy_status status = file ? SY_NOMEM : SY_IO;
        if (!file)
            sy_error(diag, where, NULL, "cannot be read: %s", strerror(errno));
        if (file)
            (void)fclose(file);
        free(piece);
        return status;
    }
    sy_sha256_begin(&sha);
    bool first = true, failed;
    for (size_t length; (length = fread(piece, 1, PIECE, file)) > 0; first = false) {
        if (first)
            *is_trace = is_trace_head(piece, length);
        sy_sha256_add(&sha, piece, length);
    }
    failed = ferror(file) != 0;
    if (failed)
        sy_error(diag, where, NULL, "cannot be read: %s", strerror(errno));
    sy_sha256_hex_of(&sha, sha256);
    (void)fclose(file);
    free(piece);
    return failed ? SY_IO : SY_OK;
}

static struct sy_result_request request_of(const char *name_or_path, const struct systole_import_options *options)
{
    return (struct sy_result_request){.workload = name_or_path,
                                      .format = options->format,
                                      .activation = options->activation,
                                      .weight = options->weight,
                                      .accumulator = options->accumulator,
                                      .phase = options->phase,
                                      .kind = options->kind,
                                      .kv = options->kv,
                                      .routing = options->routing,
                                      .batch = options->batch,
                                      .context = options->context,
                                      .contexts = options->contexts,
                                      .kv_page = options->kv_page,
                                      .tensor_parallel = options->tensor_parallel,
                                      .new_tokens = options->new_tokens,
                                      .allow_unmodelled = options->allow_unmodelled != 0,
                                      .dims = options->dims,
                                      .fuse = options->fuse};
}

/* A trace has its shapes and precisions in it: options that would change them must not pass unnoticed. */
static enum sy_status refuse_import_options(const struct sy_result_request *request, struct sy_diag *diag)
{
    const struct {
        const char *name;
        bool given;
    } options[] = {{"batch", request->batch != 0},           {"context", request->context != 0},
                   {"new_tokens", request->new_tokens != 0}, {"phase", request->phase != NULL},
                   {"kind", request->kind != NULL},          {"activation", request->activation != NULL},
                   {"weight", request->weight != NULL},      {"accumulator", request->accumulator != NULL},
                   {"dims", request->dims != NULL},          {"kv", request->kv != NULL},
                   {"routing", request->routing != NULL},    {"contexts", request->contexts != NULL},
                   {"kv_page", request->kv_page != 0},       {"tensor_parallel", request->tensor_parallel > 1}};
    enum sy_status status = SY_OK;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].given) {
            sy_error(diag, ((struct sy_where){.file = request->workload}), "import the model again with it",
                     "is a layer trace, its layers are fixed: the import option '%s' cannot change them",
                     options[i].name);
            status = SY_USAGE;
        }
    return status;
}

static enum sy_status open_trace(struct systole_workload *made, const char *name, struct sy_diag *diag)
{
    struct sy_trace_reader *reader = NULL;
    enum sy_status status = refuse_import_options(&made->request, diag);
    if (status == SY_OK)
        status = take_fusion(made->request.fuse, made, diag);
    if (status == SY_OK)
        status = sy_trace_open(made->path, NULL, 0, &reader, diag);
    sy_trace_close(reader);
    if (status == SY_OK && !(made->name = strdup(name)))
        status = SY_NOMEM;
    return status;
}

static enum sy_status load(const struct systole_context *context, const char *name_or_path,
                           const struct systole_import_options *options, struct systole_workload *made,
                           struct sy_diag *diag)
{
    struct sy_import_options import;
    struct sy_result_request request = request_of(name_or_path, options);
    bool is_trace = false;
    made->path = systole_data_file(context, "workloads/nets", name_or_path, ".slt.gz");
    if (!made->path)
        made->path = systole_data_file(context, "workloads/nets", name_or_path, ".json");
    if (!made->path && !(made->path = strdup(name_or_path)))
        return SY_NOMEM;
    enum sy_status status = systole_keep_request(&request, &made->arena, &made->request);
    if (status == SY_OK)
        status = take_import_options(options, &import, diag);
    if (status == SY_OK && access(made->path, F_OK) && !strchr(name_or_path, '/') && !strchr(name_or_path, '.')) {
        sy_error(diag, SY_NOWHERE, "`systole list workloads` names the shipped ones", "there is no workload '%s'",
                 name_or_path);
        return SY_INPUT;
    }
    if (status == SY_OK)
        status = scan_file(made->path, made->sha256, &is_trace, diag);
    if (status != SY_OK)
        return status;
    if (is_trace && !options->format)
        return open_trace(made, name_or_path, diag);
    return import_model(options->format, &import, made, diag);
}

enum systole_status systole_workload_load(const struct systole_context *context, const char *name_or_path,
                                          const struct systole_import_options *options,
                                          struct systole_workload **workload)
{
    struct systole_import_options mine;
    struct sy_diag diag = systole_sink(context);
    if (!systole_take_options(&mine, sizeof mine, options))
        return SYSTOLE_USAGE;
    struct systole_workload *made = calloc(1, sizeof *made);
    if (!made)
        return SYSTOLE_NOMEM;
    enum sy_status status = load(context, name_or_path, &mine, made, &diag);
    if (status != SY_OK) {
        systole_workload_free(made);
        return (enum systole_status)status;
    }
    *workload = made;
    return SYSTOLE_OK;
}

void systole_workload_free(struct systole_workload *workload)
{
    if (!workload)
        return;
    sy_workload_destroy(workload->workload);
    sy_arena_destroy(workload->arena);
    free(workload->path);
    free(workload->name);
    free(workload->text);
    free(workload->fuse);
    free(workload);
}

const char *systole_workload_name(const struct systole_workload *workload)
{
    return workload->name;
}

/* A trace is taken as it stands: what is asked for beside it must not pass unnoticed. */
enum sy_status systole_refuse_fusion(const struct systole_workload *workload, struct sy_diag *diag)
{
    if (!workload->fuses)
        return SY_OK;
    sy_error(diag, ((struct sy_where){.file = workload->path}), "write fuse= into its records (docs/formats.md)",
             "is a layer trace, which is taken here as it stands: its layers can be fused in runs");
    return SY_USAGE;
}

enum systole_status systole_workload_write(const struct systole_context *context,
                                           const struct systole_workload *workload, const char *path, int plain)
{
    struct sy_diag diag = systole_sink(context);
    struct sy_trace_writer_options options = {.plain = plain != 0};
    if (systole_refuse_fusion(workload, &diag) != SY_OK)
        return SYSTOLE_USAGE;
    if (workload->workload)
        return (enum systole_status)sy_trace_write_workload(path, workload->workload, &options, &diag);
    return (enum systole_status)sy_trace_pack(workload->path, path, &options, &diag);
}

/* ---- traces ---- */

enum systole_status systole_trace_verify(const struct systole_context *context, const char *path,
                                         uint64_t *intact_records, uint64_t *intact_bytes)
{
    struct sy_diag diag = systole_sink(context);
    return (enum systole_status)sy_trace_verify(path, intact_records, intact_bytes, &diag);
}

enum systole_status systole_trace_recover(const struct systole_context *context, const char *path, const char *out_path,
                                          uint64_t *records)
{
    struct sy_diag diag = systole_sink(context);
    return (enum systole_status)sy_trace_recover(path, out_path, records, &diag);
}

enum systole_status systole_trace_pack(const struct systole_context *context, const char *path, const char *out_path,
                                       int plain)
{
    struct sy_diag diag = systole_sink(context);
    struct sy_trace_writer_options options = {.plain = plain != 0};
    return (enum systole_status)sy_trace_pack(path, out_path, &options, &diag);
}

struct cat {
    systole_write_fn write;
    void *context;
};

static int cat_piece(void *context, const char *text, size_t length)
{
    const struct cat *cat = context;
    return cat->write(cat->context, text, length);
}

enum systole_status systole_trace_cat(const struct systole_context *context, const char *path, systole_write_fn write,
                                      void *write_context)
{
    struct sy_diag diag = systole_sink(context);
    struct cat cat = {write, write_context};
    return (enum systole_status)sy_trace_cat(path, cat_piece, &cat, &diag);
}

/* The last three rows are of the file of a trace; a model file has no such figures. */
static void info_table(const struct sy_trace_info *info, bool is_trace, struct sy_buf *out)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"records", info->records},
                {"layers (unrolled)", info->layers_unrolled},
                {"MACs", info->macs},
                {"parameters", info->parameters},
                {"weight bytes", info->weight_bytes},
                {"activation bytes", info->activation_bytes},
                {"blocks", info->blocks},
                {"compressed bytes", info->compressed_bytes},
                {"text bytes", info->text_bytes}};
    char number[32];
    sy_buf_printf(out, "%-20s %s\n", "workload", info->name);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] - (is_trace ? 0 : 3); i++)
        sy_buf_printf(out, "%-20s %20s\n", rows[i].name, sy_format_grouped(number, rows[i].value));
    if (is_trace)
        sy_buf_printf(out, "%-20s %20s\n", "index", info->has_index ? "yes" : "no");
    sy_buf_printf(out, "\n%-20s %20s %24s\n", "operator", "layers", "MACs");
    for (int op = 0; op < SY_OP_COUNT; op++) {
        char macs[32];
        if (info->op_count[op])
            sy_buf_printf(out, "%-20s %20s %24s\n", sy_ops[op].name, sy_format_grouped(number, info->op_count[op]),
                          sy_format_grouped(macs, info->op_macs[op]));
    }
    for (const struct sy_unmodelled *one = info->unmodelled; one; one = one->next) {
        char bytes[32];
        sy_buf_printf(out, "%snot modelled: %s %s, %s bytes\n", one == info->unmodelled ? "\n" : "",
                      sy_format_grouped(number, one->count), one->op, sy_format_grouped(bytes, one->bytes));
    }
}

static void info_json(const struct sy_trace_info *info, bool is_trace, struct sy_buf *out)
{
    struct sy_json_writer json;
    sy_json_begin(&json, out);
    sy_json_open_object(&json, NULL);
    sy_json_put_string(&json, "schema", "systole.trace-info/1");
    sy_json_put_string(&json, "workload", info->name);
    sy_json_put_u64(&json, "records", info->records);
    sy_json_put_u64(&json, "layers", info->layers_unrolled);
    sy_json_put_u64(&json, "macs", info->macs);
    sy_json_put_u64(&json, "parameters", info->parameters);
    sy_json_put_u64(&json, "weight_bytes", info->weight_bytes);
    sy_json_put_u64(&json, "activation_bytes", info->activation_bytes);
    if (is_trace) {
        sy_json_put_u64(&json, "blocks", info->blocks);
        sy_json_put_u64(&json, "compressed_bytes", info->compressed_bytes);
        sy_json_put_u64(&json, "text_bytes", info->text_bytes);
        sy_json_put_bool(&json, "has_index", info->has_index);
    }
    sy_json_open_array(&json, "operators");
    for (int op = 0; op < SY_OP_COUNT; op++) {
        if (!info->op_count[op])
            continue;
        sy_json_open_object(&json, NULL);
        sy_json_put_string(&json, "op", sy_ops[op].name);
        sy_json_put_u64(&json, "layers", info->op_count[op]);
        sy_json_put_u64(&json, "macs", info->op_macs[op]);
        sy_json_close_object(&json);
    }
    sy_json_close_array(&json);
    if (info->unmodelled)
        sy_json_open_array(&json, "unmodelled");
    for (const struct sy_unmodelled *one = info->unmodelled; one; one = one->next) {
        sy_json_open_object(&json, NULL);
        sy_json_put_string(&json, "op", one->op);
        sy_json_put_u64(&json, "count", one->count);
        sy_json_put_u64(&json, "bytes", one->bytes);
        sy_json_close_object(&json);
    }
    if (info->unmodelled)
        sy_json_close_array(&json);
    sy_json_close_object(&json);
    sy_json_end(&json);
}

/* Sum up a trace, or the workload made of a model file. What can be read only once, a pipe, is taken for a trace:
 * looking whether it is one would use it up. */
static enum sy_status sum_up(const struct systole_context *context, const char *name, struct sy_arena *arena,
                             struct sy_trace_info *info, bool *is_trace, struct sy_diag *diag)
{
    struct systole_workload *workload = NULL;
    struct stat file;
    *is_trace = true;
    if (!strcmp(name, "-") || (!stat(name, &file) && !S_ISREG(file.st_mode)))
        return sy_trace_collect_info(name, NULL, 0, arena, info, diag);
    enum sy_status status = (enum sy_status)systole_workload_load(context, name, NULL, &workload);
    if (status != SY_OK)
        return status;
    *is_trace = !workload->text;
    status = sy_trace_collect_info(workload->path, workload->text, workload->length, arena, info, diag);
    systole_workload_free(workload);
    return status;
}

enum systole_status systole_trace_info(const struct systole_context *context, const char *name_or_path,
                                       const char *format, struct systole_text *text)
{
    struct sy_diag diag = systole_sink(context);
    struct sy_trace_info info;
    struct sy_buf out = {0};
    bool is_trace, json = format && !strcmp(format, "json");
    if (format && !json && strcmp(format, "table")) {
        sy_error(&diag, SY_NOWHERE, "use table or json", "trace info cannot be written as '%s'", format);
        return SYSTOLE_USAGE;
    }
    struct sy_arena *arena = sy_arena_create(NULL, 0);
    if (!arena)
        return SYSTOLE_NOMEM;
    enum sy_status status = sum_up(context, name_or_path, arena, &info, &is_trace, &diag);
    if (status == SY_OK)
        (json ? info_json : info_table)(&info, is_trace, &out);
    sy_arena_destroy(arena);
    if (status == SY_OK)
        return systole_hand_over(&out, text);
    sy_buf_free(&out);
    return (enum systole_status)status;
}
