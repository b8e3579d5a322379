/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sy_layer_check: the gate every layer passes before anything is computed from
 * it. Dimensions first; the operator's own rules and the sizes only once the
 * dimensions are in range, because they multiply and divide by them.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/figures.h"
#include "workloads/sequences.h"

struct check {
    const struct sy_layer *layer;
    struct sy_where where;
    struct sy_diag *diag;
    bool failed;
};

#define FAIL(check, hint, ...)                                                                                         \
    do {                                                                                                               \
        (void)sy_error((check)->diag, (check)->where, (hint), __VA_ARGS__);                                            \
        (check)->failed = true;                                                                                        \
    } while (0)

static const char *label(const struct check *check)
{
    return check->layer->name != NULL ? check->layer->name : sy_ops[check->layer->op].name;
}

static uint64_t dimension(const struct sy_layer *layer, const struct sy_dim_info *info)
{
    uint64_t value;
    memcpy(&value, (const char *)layer + info->offset, sizeof value);
    return value;
}

static void check_dimensions(struct check *check)
{
    const struct sy_op_info *op = &sy_ops[check->layer->op];
    for (uint32_t i = 0; i < op->dims; i++) {
        const struct sy_dim_info *info = &op->dim[i];
        uint64_t value = dimension(check->layer, info);
        if (value >= info->minimum && value <= info->maximum) {
            continue;
        }
        FAIL(check, info->doc, "layer '%s': %s %s is %" PRIu64 ", expected %" PRIu64 " to %" PRIu64, label(check),
             op->name, info->name, value, info->minimum, info->maximum);
    }
}

static void check_conv(struct check *check)
{
    const struct sy_conv_dims *d = &check->layer->dim.conv;
    if (d->c % d->groups != 0 || d->n % d->groups != 0) {
        FAIL(check, "each group takes c / groups channels and makes n / groups filters",
             "layer '%s': groups is %" PRIu64 ", which does not divide both c = %" PRIu64 " and n = %" PRIu64,
             label(check), d->groups, d->c, d->n);
    }
    uint64_t tall = d->h + d->pt + d->pb;
    uint64_t wide = d->w + d->pl + d->pr;
    if (d->dh * (d->fh - 1) + 1 > tall || d->dw * (d->fw - 1) + 1 > wide) {
        FAIL(check, "the filter with its dilation must fit the input with its padding",
             "layer '%s': a filter of %" PRIu64 " x %" PRIu64 " (dilation %" PRIu64 " x %" PRIu64
             ") is larger than the padded input of %" PRIu64 " x %" PRIu64,
             label(check), d->fh, d->fw, d->dh, d->dw, tall, wide);
    }
    /* SCALE-Sim's rounding can place the last window just behind the input; a whole stride further is a mistake. */
    if ((d->oh != 0 && (d->oh - 1) * d->sh >= tall + d->sh) || (d->ow != 0 && (d->ow - 1) * d->sw >= wide + d->sw)) {
        FAIL(check, "leave oh and ow out to get the usual size",
             "layer '%s': an output of %" PRIu64 " x %" PRIu64
             " has windows that start a stride or more behind the padded input of %" PRIu64 " x %" PRIu64,
             label(check), d->oh, d->ow, tall, wide);
    }
}

static void check_pool(struct check *check)
{
    const struct sy_pool_dims *d = &check->layer->dim.pool;
    uint64_t oh, ow;
    sy_layer_output_size(check->layer, &oh, &ow);
    if (oh == 0 || ow == 0) {
        FAIL(check, "the window must fit the input with its padding",
             "layer '%s': a window of %" PRIu64 " x %" PRIu64 " is larger than the padded input of %" PRIu64
             " x %" PRIu64,
             label(check), d->fh, d->fw, d->h + d->pt + d->pb, d->w + d->pl + d->pr);
    }
}

static bool reduces(enum sy_function function)
{
    return function == SY_FN_SUM || function == SY_FN_MEAN || function == SY_FN_MAX || function == SY_FN_MIN ||
           function == SY_FN_MUL;
}

static void check_elementwise(struct check *check)
{
    enum sy_function function = (enum sy_function)check->layer->dim.elementwise.function;
    const char *name = sy_functions[function].name;
    if (function == SY_FN_SUM || function == SY_FN_MEAN) {
        FAIL(check, "use a reduce record", "layer '%s': '%s' is not an elementwise function", label(check), name);
    } else if (sy_functions[function].params != 0) {
        FAIL(check, "use `add` with a weight operand for a bias, `norm kind=batch` for batch normalization",
             "layer '%s': '%s' has parameters a channel and works only fused behind a gemm or conv", label(check),
             name);
    }
}

static void check_move(struct check *check)
{
    const struct sy_move_dims *d = &check->layer->dim.move;
    uint64_t taken = 0;
    for (uint32_t i = 0; i < check->layer->inputs && i < 4; i++) {
        taken += d->operand[i]; /* at most 4 * 2^44 */
    }
    if (taken > d->elements) {
        FAIL(check, "elements is the size of the output",
             "layer '%s': %" PRIu64 " elements are taken from the inputs, but only %" PRIu64 " are written",
             label(check), taken, d->elements);
    }
}

/* Queries of a causal sequence stand among its keys. */
static void check_causal(struct check *check)
{
    const struct sy_attention_dims *d = &check->layer->dim.attention;
    struct sy_attention_dims part;
    const char *at = NULL;
    while (d->causal && sy_attention_part(d, &at, &part)) {
        if (part.kv_len < part.q_len) {
            FAIL(check, "kv_len counts the keys of the queries themselves too",
                 "layer '%s': causal attention of %" PRIu64 " queries over only %" PRIu64 " keys", label(check),
                 part.q_len, part.kv_len);
        }
    }
}

/* A list of sequences is whole, and the layer's own dimensions say what it sums to. */
static void check_sequences(struct check *check)
{
    const struct sy_attention_dims *d = &check->layer->dim.attention;
    struct sy_sequence total;
    const char *stop = NULL;
    if (d->sequences == NULL) {
        return;
    }
    if (!sy_sequences_total(d->sequences, &total, &stop)) {
        FAIL(check, "COUNTxQUERIES:KEYS,... of at most 1024 kinds and 16384 bytes, for example 4x1:129,1x1:4097",
             "layer '%s': '%.20s' is no list of sequences", label(check), stop);
    } else if (total.count != d->b || total.queries != d->q_len || total.keys != d->kv_len) {
        FAIL(check, "b is the number of sequences, q_len and kv_len are the longest",
             "layer '%s': b, q_len and kv_len are %" PRIu64 ", %" PRIu64 " and %" PRIu64
             ", but its sequences give %" PRIu64 ", %" PRIu64 " and %" PRIu64,
             label(check), d->b, d->q_len, d->kv_len, total.count, total.queries, total.keys);
    }
}

static void check_attention(struct check *check)
{
    const struct sy_attention_dims *d = &check->layer->dim.attention;
    check_sequences(check);
    check_causal(check);
    if (d->heads % d->kv_heads != 0) {
        FAIL(check, "every key-value head serves the same number of query heads",
             "layer '%s': kv_heads is %" PRIu64 ", which does not divide heads = %" PRIu64, label(check), d->kv_heads,
             d->heads);
    }
    if (d->v_in_k && d->value_dim > d->head_dim) {
        FAIL(check, "with v_in_k the values are columns of the keys",
             "layer '%s': value_dim is %" PRIu64 ", more than head_dim = %" PRIu64, label(check), d->value_dim,
             d->head_dim);
    }
}

static void check_operator(struct check *check)
{
    switch (check->layer->op) {
    case SY_OP_CONV:
        check_conv(check);
        break;
    case SY_OP_POOL:
        check_pool(check);
        break;
    case SY_OP_ELEMENTWISE:
        check_elementwise(check);
        break;
    case SY_OP_REDUCE:
        if (!reduces((enum sy_function)check->layer->dim.rows.kind)) {
            FAIL(check, "sum, mean, max, min or mul", "layer '%s': '%s' does not reduce a row", label(check),
                 sy_functions[check->layer->dim.rows.kind].name);
        }
        break;
    case SY_OP_MOVE:
        check_move(check);
        break;
    case SY_OP_ATTENTION:
        check_attention(check);
        break;
    case SY_OP_GEMM:
        if (check->layer->dim.gemm.experts != 0 && check->layer->dim.gemm.shared_b) {
            FAIL(check, "leave one of the two out", "layer '%s': experts and shared_b exclude each other",
                 label(check));
        } else if (check->layer->dim.gemm.experts != 0 && check->layer->dim.gemm.experts < check->layer->dim.gemm.g) {
            FAIL(check, "experts counts the stored B matrices, g the used ones",
                 "layer '%s': experts is %" PRIu64 ", less than g = %" PRIu64, label(check),
                 check->layer->dim.gemm.experts, check->layer->dim.gemm.g);
        }
        break;
    case SY_OP_SOFTMAX:
    case SY_OP_NORM:
    case SY_OP_GATHER:
    case SY_OP_COLLECTIVE:
    case SY_OP_COUNT:
        break;
    }
}

static bool fuses(enum sy_op op)
{
    return op == SY_OP_GEMM || op == SY_OP_CONV;
}

/* Returns the operands that the epilogue reads. */
static uint32_t check_epilogue(struct check *check)
{
    const struct sy_layer *layer = check->layer;
    uint32_t operands = 0;
    if (layer->epilogues > SY_MAX_EPILOGUE) {
        FAIL(check, "write the rest as elementwise records", "layer '%s': %u fused functions, at most %d are possible",
             label(check), layer->epilogues, SY_MAX_EPILOGUE);
        return 0;
    }
    if (layer->epilogues > 0 && !fuses(layer->op)) {
        FAIL(check, "write an elementwise record behind it",
             "layer '%s': functions can be fused only behind gemm and conv, not %s", label(check),
             sy_ops[layer->op].name);
        return 0;
    }
    for (uint32_t i = 0; i < layer->epilogues; i++) {
        if ((int)layer->epilogue[i] < 0 || layer->epilogue[i] >= SY_FUNCTION_COUNT) {
            FAIL(check, NULL, "layer '%s': fused function %d does not exist", label(check), (int)layer->epilogue[i]);
            continue;
        }
        const struct sy_function_info *info = &sy_functions[layer->epilogue[i]];
        if (info->inputs > 2 || layer->epilogue[i] == SY_FN_SUM || layer->epilogue[i] == SY_FN_MEAN) {
            FAIL(check, "write it as its own record", "layer '%s': '%s' cannot be fused", label(check), info->name);
        } else {
            operands += info->inputs - 1;
        }
    }
    return operands;
}

static bool is_dtype(enum sy_dtype dtype)
{
    return (int)dtype >= 0 && dtype < SY_DTYPE_COUNT;
}

static void check_inputs(struct check *check, uint32_t operands)
{
    const struct sy_layer *layer = check->layer;
    const struct sy_op_info *op = &sy_ops[layer->op];
    if (layer->inputs > SY_MAX_INPUTS) {
        FAIL(check, NULL, "layer '%s': %u inputs, at most %d are possible", label(check), layer->inputs, SY_MAX_INPUTS);
        return;
    }
    uint32_t own = layer->inputs - (operands < layer->inputs ? operands : layer->inputs);
    bool exact = layer->op == SY_OP_ELEMENTWISE && layer->dim.elementwise.function < SY_FUNCTION_COUNT;
    uint32_t least = exact ? sy_functions[layer->dim.elementwise.function].inputs : op->min_inputs;
    uint32_t most = exact ? least : op->max_inputs;
    if (own < least || own > most) {
        FAIL(check, "every two-input fused function reads one more tensor",
             "layer '%s': %s has %u inputs, expected %u%s", label(check), op->name, layer->inputs, least + operands,
             most > least ? " or more" : "");
    }
    for (uint32_t i = 0; i < layer->inputs; i++) {
        if (!is_dtype(layer->in[i].dtype)) {
            FAIL(check, NULL, "layer '%s': input %u has no valid precision", label(check), i);
        }
    }
    if (!is_dtype(layer->out.dtype) || !is_dtype(layer->accumulator)) {
        FAIL(check, NULL, "layer '%s': the output or accumulator has no valid precision", label(check));
    }
}

static void check_sparsity(struct check *check)
{
    const struct sy_sparsity *s = &check->layer->sparsity;
    if (s->keep == 0 && s->group == 0) {
        return;
    }
    if (!fuses(check->layer->op)) {
        FAIL(check, NULL, "layer '%s': sparsity applies to gemm and conv only", label(check));
    }
    if (s->keep == 0 || s->keep > s->group) {
        FAIL(check, "2:4 keeps 2 of every 4 elements along K",
             "layer '%s': sparsity %u:%u keeps nothing or more than there is", label(check), s->keep, s->group);
    }
}

static void check_values(struct check *check)
{
    const struct sy_value_statistics *values = &check->layer->values;
    bool any = values->has_zeros || values->toggles;
    if (any && !fuses(check->layer->op) && check->layer->op != SY_OP_ATTENTION) {
        FAIL(check, NULL, "layer '%s': zeros and toggles apply to gemm, conv and attention only", label(check));
    }
    if (values->zeros_a > 100 || values->zeros_b > 100 || values->toggles > 100) {
        FAIL(check, "they are percent", "layer '%s': more than 100 percent of its values are zero or toggle",
             label(check));
    }
}

static bool is_order(const char *order)
{
    if (memchr(order, '\0', 4) != order + 3) {
        return order[0] == '\0';
    }
    return strchr(order, 'm') != NULL && strchr(order, 'k') != NULL && strchr(order, 'n') != NULL;
}

static void check_schedule(struct check *check)
{
    const struct sy_schedule *s = &check->layer->schedule;
    if (!check->layer->has_schedule) {
        return;
    }
    if (!fuses(check->layer->op)) {
        FAIL(check, NULL, "layer '%s': a schedule applies to gemm and conv only", label(check));
    }
    if (s->levels > SY_MAX_SCHEDULE_LEVELS) {
        FAIL(check, NULL, "layer '%s': the schedule has %u levels, at most %d are possible", label(check), s->levels,
             SY_MAX_SCHEDULE_LEVELS);
        return;
    }
    for (uint32_t i = 0; i < s->levels; i++) {
        if (!is_order(s->order[i])) {
            FAIL(check, "for example mnk, outer to inner", "layer '%s': loop order %u is no order of m, k and n",
                 label(check), i);
        }
    }
    if (memchr(s->dataflow, '\0', sizeof s->dataflow) == NULL) {
        FAIL(check, NULL, "layer '%s': the dataflow name is too long", label(check));
    }
    if (s->resident != 0 && s->resident != 'A' && s->resident != 'B' && s->resident != 'C') {
        FAIL(check, "A, B or C", "layer '%s': the resident operand is none", label(check));
    }
}

static bool tensor_fits(enum sy_dtype dtype, uint64_t elements)
{
    uint64_t bytes;
    return sy_dtype_bytes(dtype, elements, &bytes);
}

static void check_sizes(struct check *check)
{
    const struct sy_layer *layer = check->layer;
    uint64_t figure;
    const char *what = NULL;
    if (!sy_figure_macs(layer, &figure)) {
        what = "the number of multiply-accumulates";
    } else if (!sy_figure_output(layer, &figure) || !tensor_fits(layer->out.dtype, figure) ||
               !tensor_fits(layer->accumulator, figure)) {
        what = "the size of the output";
    } else if (!sy_figure_parameters(layer, &figure) || !sy_layer_weight_bytes(layer, &figure)) {
        what = "the number of parameters";
    }
    if (layer->op == SY_OP_REDUCE && !sy_mul(layer->dim.rows.rows, layer->dim.rows.cols, &figure)) {
        what = "the number of reduced elements";
    }
    for (uint32_t i = 0; i < layer->inputs && what == NULL; i++) {
        if (!sy_figure_input(layer, i, &figure) || !tensor_fits(layer->in[i].dtype, figure)) {
            what = "the size of an input";
        }
    }
    if (what != NULL) {
        FAIL(check, "make the dimensions smaller", "layer '%s': %s does not fit 64 bits", label(check), what);
    }
}

enum sy_status sy_layer_check(const struct sy_layer *layer, const char *file, struct sy_diag *diag)
{
    struct check check = {.layer = layer, .where = {.file = file, .line = layer->line}, .diag = diag};
    if ((int)layer->op < 0 || layer->op >= SY_OP_COUNT) {
        return sy_error(diag, check.where, NULL, "operator %d does not exist", (int)layer->op);
    }
    check_dimensions(&check);
    bool dimensions_hold = !check.failed;
    uint32_t operands = check_epilogue(&check);
    check_inputs(&check, operands);
    check_sparsity(&check);
    check_values(&check);
    check_schedule(&check);
    if (dimensions_hold) {
        check_operator(&check);
    }
    if (!check.failed) {
        check_sizes(&check);
    }
    return check.failed ? SY_INPUT : SY_OK;
}
