/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONNX models. The file is walked on the wire: tensors are looked at, never
 * loaded; data kept outside the file is not needed. Initializers are weights.
 *
 * Order of work: initializers, then declared shapes, then how often each value
 * is read, then the nodes in file order (which ONNX demands to be a valid
 * order). Each node sets the shapes of its outputs and becomes layers; nodes
 * whose inputs are all constant are computed instead. Functions over elements
 * are fused behind the matrix product that feeds them when nothing else reads
 * its result.
 *
 * Refused: model-local functions, subgraphs (If, Loop, Scan), operators that
 * are not in the tables; --allow-unmodelled lets those through when the file
 * declares the shapes behind them.
 */
#include <stdio.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/import/onnx.h"

/* Fields of onnx.proto. */
enum { MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_FUNCTIONS = 25 };
enum {
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_VALUE_INFO = 13,
    GRAPH_SPARSE = 15
};

/* ---- dispatch ---- */

static const struct ox_operator *find_operator(const char *name)
{
    static const struct ox_operator *const tables[] = {ox_matrix_operators, ox_vector_operators, ox_move_operators,
                                                       ox_fused_operators};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct ox_operator *each = tables[i]; each->name != NULL; each++) {
            if (each->name[0] == name[0] && strcmp(each->name, name) == 0) {
                return each;
            }
        }
    }
    return NULL;
}

/* An operator of a domain of its own, or one that is known whatever domain it came in. */
static const struct ox_operator *operator_of(const struct ox *ox)
{
    char full[256];
    const struct ox_operator *found = NULL;
    if (ox->node.domain[0] != '\0') {
        (void)snprintf(full, sizeof full, "%.120s:%.120s", ox->node.domain, ox->node.op);
        found = find_operator(full);
    }
    return found != NULL ? found : find_operator(ox->node.op);
}

static bool has_subgraph(const struct ox *ox)
{
    for (uint32_t i = 0; i < ox->node.attributes; i++) {
        if (ox->node.attribute[i].type == 5) {
            return true;
        }
    }
    return false;
}

static bool is_function(const struct ox *ox)
{
    size_t length = strlen(ox->node.op);
    for (uint32_t i = 0; i < ox->function_count; i++) {
        if (length > 0 && ox->functions[i].length == length &&
            memcmp(ox->functions[i].data, ox->node.op, length) == 0) {
            return true;
        }
    }
    return false;
}

static uint64_t bytes_of(const struct ox *ox, struct ox_value *const *values, uint32_t count)
{
    uint64_t total = 0, bytes;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i] != NULL && values[i]->known && !values[i]->constant &&
            sy_dtype_bytes(ox_dtype(ox, values[i]), ox_count(&values[i]->shape), &bytes)) {
            total += bytes; /* each at most 2^47 */
        }
    }
    return total;
}

/* Let an operator through: its outputs have the shapes that the file declares. */
static bool unmodelled(struct ox *ox)
{
    for (uint32_t i = 0; i < ox->node.outputs; i++) {
        struct ox_value *out = ox->node.out[i];
        if (out != NULL && !out->known && out->declared) {
            out->shape = out->declared_shape;
            out->known = true;
            out->order = ox->layers;
        }
    }
    uint64_t bytes = bytes_of(ox, ox->node.in, ox->node.inputs) + bytes_of(ox, ox->node.out, ox->node.outputs);
    const char *label = ox->node.op;
    const char *why = has_subgraph(ox)  ? " (it runs a subgraph)"
                      : is_function(ox) ? " (a function defined in the model)"
                                        : "";
    if (*why != '\0' && !ox->options->allow_unmodelled) {
        label = sy_arena_printf(ox->workload->arena, "%s%s", ox->node.op, why);
    }
    enum sy_status status = sy_import_unmodelled(ox->workload, ox->options, ox->node.where, label != NULL ? label : "",
                                                 ox->node.name, bytes, ox->diag);
    ox->status = ox->status == SY_OK ? status : ox->status;
    return status == SY_OK;
}

static bool all_constant(const struct ox *ox)
{
    bool any = false;
    for (uint32_t i = 0; i < ox->node.inputs; i++) {
        const struct ox_value *in = ox->node.in[i];
        if (in != NULL && !in->constant) {
            return false;
        }
        any = any || in != NULL;
    }
    return any;
}

bool ox_dispatch(struct ox *ox)
{
    const struct ox_operator *operator_ = has_subgraph(ox) ? NULL : operator_of(ox);
    if (operator_ == NULL) {
        return unmodelled(ox);
    }
    ox->silent = all_constant(ox);
    bool good = operator_->handle(ox, operator_->argument) && ox_fold(ox);
    ox->silent = false;
    return good;
}

/* ---- the graph ---- */

/* Call `visit` for every field of one number in a message. */
static bool each_field(struct ox *ox, struct sy_bytes message, uint32_t number,
                       bool (*visit)(struct ox *ox, struct sy_bytes bytes))
{
    struct sy_pb_field field;
    int more;
    while ((more = sy_pb_next(&message, &field)) == 1) {
        if (field.number == number && field.wire == SY_WIRE_BYTES && !visit(ox, field.bytes)) {
            return false;
        }
    }
    return more == 0 || ox_fail_at(ox, field.at, "malformed graph");
}

static bool visit_initializer(struct ox *ox, struct sy_bytes bytes)
{
    return ox_read_tensor(ox, bytes, NULL);
}
static bool visit_input(struct ox *ox, struct sy_bytes bytes)
{
    return ox_read_value_info(ox, bytes, true, false);
}
static bool visit_output(struct ox *ox, struct sy_bytes bytes)
{
    return ox_read_value_info(ox, bytes, false, true);
}
static bool visit_value(struct ox *ox, struct sy_bytes bytes)
{
    return ox_read_value_info(ox, bytes, false, false);
}

static bool visit_sparse(struct ox *ox, struct sy_bytes bytes)
{
    return ox_fail_at(ox, bytes.data, "sparse initializers are not modelled");
}

/* Count readers of each value. */
static bool visit_uses(struct ox *ox, struct sy_bytes node)
{
    struct sy_pb_field field;
    while (sy_pb_next(&node, &field) == 1) {
        if (field.number != 1 || field.bytes.length == 0) {
            continue;
        }
        struct ox_value *value = ox_value(ox, field.bytes);
        if (value == NULL) {
            return false;
        }
        value->uses++;
    }
    return true;
}

static bool visit_node(struct ox *ox, struct sy_bytes bytes)
{
    if (!ox_read_node(ox, bytes)) {
        return false;
    }
    if (!ox_dispatch(ox)) {
        return ox->status == SY_OK && ox_fail(ox, NULL, "the sizes of its inputs do not fit");
    }
    return ox->status == SY_OK;
}

/* Weights are floats and narrow integers; indices and sizes, which are 32 or 64 bits wide, are not. */
static bool learnable(const struct ox_value *value)
{
    static const int others[] = {OX_INT32, OX_INT64, OX_STRING, OX_BOOL, OX_UINT32, OX_UINT64};
    bool other = value->type == 0 || ox_count(&value->shape) <= 1;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        other = other || value->type == others[i];
    }
    return value->weight && !other;
}

/* Weights of the file that no node reads are in no layer, but whoever adds up the file's tensors, or reads what was
 * published, finds them: they count as parameters, and a warning says so. */
static bool count_unread(struct ox *ox)
{
    const char *first = NULL;
    uint64_t count = 0, bytes;
    struct sy_unread *unread = &ox->workload->unread;
    for (uint64_t i = 0; i < ox->slots; i++) {
        const struct ox_value *value = ox->slot[i];
        if (value == NULL || value->uses > 0 || !learnable(value)) {
            continue;
        }
        first = first == NULL || strcmp(value->name, first) < 0 ? value->name : first;
        count++;
        if (!sy_dtype_bytes(ox_dtype(ox, value), ox_count(&value->shape), &bytes) ||
            !sy_add(unread->bytes, bytes, &unread->bytes) ||
            !sy_add(unread->elements, ox_count(&value->shape), &unread->elements)) {
            return ox_fail_at(ox, ox->file, "the sizes of the weights do not fit 64 bits");
        }
    }
    if (count > 0) {
        sy_warn(ox->diag, (struct sy_where){.file = ox->path}, NULL,
                "no node reads '%s'%s: %llu parameters of the file cost nothing", first,
                count > 1 ? " and other tensors" : "", (unsigned long long)unread->elements);
    }
    return true;
}

static bool read_graph(struct ox *ox, struct sy_bytes graph)
{
    static const struct {
        uint32_t number;
        bool (*visit)(struct ox *, struct sy_bytes);
    } steps[] = {{GRAPH_SPARSE, visit_sparse}, {GRAPH_INITIALIZER, visit_initializer}, {GRAPH_INPUT, visit_input},
                 {GRAPH_OUTPUT, visit_output}, {GRAPH_VALUE_INFO, visit_value},        {GRAPH_NODE, visit_uses},
                 {GRAPH_NODE, visit_node}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (!each_field(ox, graph, steps[i].number, steps[i].visit)) {
            return false;
        }
    }
    return count_unread(ox);
}

/* ---- the model ---- */

/* The version of the default operator set: field 8 = {domain 1, version 2}. */
static void read_opset(struct ox *ox, struct sy_bytes message)
{
    struct sy_pb_field field;
    uint64_t version = 0;
    bool other = false;
    while (sy_pb_next(&message, &field) == 1) {
        other = other || (field.number == 1 && field.bytes.length > 0 &&
                          (field.bytes.length != 7 || memcmp(field.bytes.data, "ai.onnx", 7) != 0));
        version = field.number == 2 && field.wire == SY_WIRE_VARINT ? field.value : version;
    }
    if (!other) {
        ox->opset = version;
    }
}

static void read_function(struct ox *ox, struct sy_bytes message)
{
    struct sy_pb_field field;
    while (sy_pb_next(&message, &field) == 1) {
        if (field.number == 1 && field.wire == SY_WIRE_BYTES &&
            ox->function_count < sizeof ox->functions / sizeof ox->functions[0]) {
            ox->functions[ox->function_count++] = field.bytes;
        }
    }
}

static bool read_model(struct ox *ox, struct sy_bytes model)
{
    struct sy_pb_field field;
    struct sy_bytes graph = {NULL, 0};
    bool found = false;
    int more;
    while ((more = sy_pb_next(&model, &field)) == 1) {
        if (field.wire != SY_WIRE_BYTES) {
            continue;
        }
        if (field.number == MODEL_GRAPH) {
            graph = field.bytes;
            found = true;
        } else if (field.number == MODEL_OPSET) {
            read_opset(ox, field.bytes);
        } else if (field.number == MODEL_FUNCTIONS) {
            read_function(ox, field.bytes);
        }
    }
    if (more != 0) {
        return ox_fail_at(ox, field.at, "malformed model: this is no ONNX file, or it is cut");
    }
    if (!found) {
        return ox_fail_at(ox, ox->file, "the model has no graph");
    }
    if (!read_graph(ox, graph)) {
        return false;
    }
    if (ox->workload->records == 0 && ox->workload->unmodelled == NULL) {
        return ox_fail_at(ox, ox->file, "the graph has no layers");
    }
    return true;
}

static enum sy_status import_onnx(const char *path, const char *data, size_t length,
                                  const struct sy_import_options *options, struct sy_workload **workload,
                                  struct sy_diag *diag)
{
    struct ox ox = {.path = path, .file = (const uint8_t *)data, .options = options, .diag = diag};
    ox.node.op = ox.node.domain = ox.node.name = "";
    ox.node.where.file = path;
    *workload = NULL;
    enum sy_status status = sy_workload_create(NULL, &ox.workload);
    if (status != SY_OK) {
        return status;
    }
    ox.workload->name = sy_import_name(ox.workload->arena, path);
    if (ox.workload->name == NULL) {
        ox.status = SY_NOMEM;
    } else if (!read_model(&ox, (struct sy_bytes){ox.file, length}) && ox.status == SY_OK) {
        ox.status = SY_INPUT;
    }
    if (ox.status != SY_OK) {
        sy_workload_destroy(ox.workload);
        return ox.status;
    }
    *workload = ox.workload;
    return SY_OK;
}

/* A model starts with field 1, the version of its format, as a small number; field 7 is the graph. */
static int sniff_onnx(const char *path, const char *head, size_t length)
{
    size_t name = strlen(path);
    bool suffix = name > 5 && strcmp(path + name - 5, ".onnx") == 0;
    bool start = length >= 2 && head[0] == 0x08 && head[1] >= 1 && head[1] <= 30;
    return suffix ? 90 : start && length > 2 ? 40 : 0;
}

static const char *const suffixes[] = {".onnx", NULL};

const struct sy_importer sy_importer_onnx = {
    .name = "onnx",
    .doc = "ONNX model: shapes are inferred, weights are not read",
    .suffixes = suffixes,
    .example = "tests/golden/onnx/resnet18.onnx",
    .sniff = sniff_onnx,
    .import = import_onnx,
};
