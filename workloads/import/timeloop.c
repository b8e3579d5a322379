/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeloop problem YAML: one tensor operation as loop dimensions with bounds and three data spaces (two operands, one
 * result) with projections. Format: the public Timeloop documentation, versions 0.1 to 0.4.
 *
 * Each dimension is sorted by the data spaces whose projections name it. Without sums in a projection that gives a
 * grouped matrix product; a rank of an operand that is a sum of two terms, output position x stride + filter position
 * x dilation, makes it a convolution. Timeloop has no padding: the input is exactly what the windows reach. MACs are
 * the product of all bounds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
#include "sim/base/yaml.h"
#include "workloads/import/common.h"

enum { MOST_DIMS = 24, MOST_SPACES = 3, MOST_COEFFICIENTS = 16, MOST_WINDOWS = 2 };

struct named {
    char name[64];
    uint64_t value;
    bool set;
};

/* One data space: which dimensions stand alone in a rank, and the ranks that are sums. */
struct space {
    char name[64];
    bool result;
    bool simple[MOST_DIMS], summed[MOST_DIMS];
};

/* A rank that is position x stride + filter x dilation. */
struct window {
    uint32_t first, second;
    uint64_t first_factor, second_factor;
};

struct tl {
    const char *path;
    const struct sy_import_options *options;
    struct sy_diag *diag;
    struct sy_workload *workload;
    const char *name; /* of the shape */
    uint32_t dims, coefficients, spaces, windows;
    struct named dim[MOST_DIMS], coefficient[MOST_COEFFICIENTS];
    struct space space[MOST_SPACES];
    struct window window[MOST_WINDOWS];
    uint32_t input; /* data space with the windows */
};

/* ---- YAML ---- */

static struct sy_where at(const struct tl *tl, const struct sy_yaml_node *node)
{
    struct sy_where where = {.file = tl->path};
    return node != NULL ? sy_yaml_where(node) : where;
}

#define FAIL(tl, node, hint, ...) ((void)sy_error((tl)->diag, at((tl), (node)), (hint), __VA_ARGS__), false)

static const char *scalar(const struct sy_yaml_node *node)
{
    return node != NULL && node->kind == SY_YAML_SCALAR ? node->text : NULL;
}

/* Names with '-' and '_' are the same: data-spaces, data_spaces. */
static bool same_key(const char *a, const char *b)
{
    while (*a != '\0' && (*a == *b || (*a == '-' && *b == '_') || (*a == '_' && *b == '-'))) {
        a++;
        b++;
    }
    return *a == *b;
}

static const struct sy_yaml_node *member(const struct sy_yaml_node *mapping, const char *key)
{
    const struct sy_yaml_node *entry = mapping != NULL && mapping->kind == SY_YAML_MAPPING ? mapping->first : NULL;
    while (entry != NULL && !same_key(entry->key, key)) {
        entry = entry->next;
    }
    return entry;
}

static uint32_t length_of(const struct sy_yaml_node *list)
{
    return list != NULL && list->kind == SY_YAML_SEQUENCE ? list->count : 0;
}

static const struct sy_yaml_node *item(const struct sy_yaml_node *list, uint32_t index)
{
    return index < length_of(list) ? sy_yaml_at(list, index) : NULL;
}

/* ---- dimensions and coefficients ---- */

static bool add_name(struct tl *tl, const struct sy_yaml_node *node, struct named *list, uint32_t *count, uint32_t most,
                     uint64_t value, bool set)
{
    const char *name = scalar(node);
    if (name == NULL || *name == '\0' || strlen(name) >= sizeof list->name) {
        return FAIL(tl, node, NULL, "expected the name of a dimension or coefficient, up to 63 letters");
    }
    for (uint32_t i = 0; i < *count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return FAIL(tl, node, NULL, "'%s' is named twice", name);
        }
    }
    if (*count == most) {
        return FAIL(tl, node, NULL, "more than %u names", most);
    }
    (void)snprintf(list[*count].name, sizeof list->name, "%s", name);
    list[*count].value = value;
    list[(*count)++].set = set;
    return true;
}

static bool read_names(struct tl *tl, const struct sy_yaml_node *shape)
{
    const struct sy_yaml_node *dims = member(shape, "dimensions"), *coefficients = member(shape, "coefficients");
    if (length_of(dims) == 0) {
        return FAIL(tl, shape, NULL, "the shape has no list of dimensions");
    }
    for (uint32_t i = 0; i < length_of(dims); i++) {
        if (!add_name(tl, item(dims, i), tl->dim, &tl->dims, MOST_DIMS, 0, false)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < length_of(coefficients); i++) {
        const struct sy_yaml_node *one = item(coefficients, i), *fallback = member(one, "default");
        uint64_t value = 1;
        const char *text = scalar(fallback);
        if (text != NULL && !sy_text_to_u64(text, strlen(text), &value)) {
            return FAIL(tl, fallback, NULL, "default is '%s', expected a whole number", text);
        }
        if (!add_name(tl, member(one, "name"), tl->coefficient, &tl->coefficients, MOST_COEFFICIENTS, value, true)) {
            return false;
        }
    }
    return true;
}

static struct named *find_name(struct named *list, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

/* ---- projections ---- */

struct term {
    uint32_t dim;
    uint64_t factor;
};

/* [C] or [P, Wstride] */
static bool read_term(struct tl *tl, const struct sy_yaml_node *node, struct term *term)
{
    const char *dim = scalar(item(node, 0)), *factor = scalar(item(node, 1));
    const struct named *known = dim != NULL ? find_name(tl->dim, tl->dims, dim) : NULL;
    if (known == NULL) {
        return FAIL(tl, node, "a term is [DIMENSION] or [DIMENSION, COEFFICIENT]", "'%s' is no dimension of the shape",
                    dim != NULL ? dim : "");
    }
    *term = (struct term){.dim = (uint32_t)(known - tl->dim), .factor = 1};
    if (factor == NULL) {
        return true;
    }
    const struct named *coefficient = find_name(tl->coefficient, tl->coefficients, factor);
    if (coefficient == NULL && !sy_text_to_u64(factor, strlen(factor), &term->factor)) {
        return FAIL(tl, node, NULL, "'%s' is no coefficient of the shape", factor);
    }
    term->factor = coefficient != NULL ? coefficient->value : term->factor;
    return (term->factor >= 1 && term->factor < (1 << 30)) ||
           FAIL(tl, node, NULL, "a coefficient of %" PRIu64, term->factor);
}

static bool read_rank(struct tl *tl, const struct sy_yaml_node *rank, struct space *space)
{
    struct term terms[2];
    uint32_t count = length_of(rank);
    if (count == 0 || count > 2) {
        return FAIL(tl, rank, NULL, "a rank of '%s' is a sum of %u terms; one or two are modelled", space->name, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_term(tl, item(rank, i), &terms[i])) {
            return false;
        }
    }
    if (count == 1) {
        space->simple[terms[0].dim] = true;
        return true;
    }
    uint32_t index = (uint32_t)(space - tl->space);
    if (space->result || tl->windows == MOST_WINDOWS || (tl->windows > 0 && tl->input != index)) {
        return FAIL(tl, rank, NULL, "more than two sums, or sums in more than one operand");
    }
    space->summed[terms[0].dim] = space->summed[terms[1].dim] = true;
    tl->input = index;
    tl->window[tl->windows++] = (struct window){terms[0].dim, terms[1].dim, terms[0].factor, terms[1].factor};
    return true;
}

static bool read_spaces(struct tl *tl, const struct sy_yaml_node *shape)
{
    const struct sy_yaml_node *list = member(shape, "data_spaces");
    uint32_t results = 0;
    if (length_of(list) != MOST_SPACES) {
        return FAIL(tl, list != NULL ? list : shape, NULL, "%u data spaces; two operands and one result are modelled",
                    length_of(list));
    }
    for (uint32_t i = 0; i < MOST_SPACES; i++) {
        const struct sy_yaml_node *one = item(list, i), *projection = member(one, "projection");
        const char *name = scalar(member(one, "name")), *written = scalar(member(one, "read_write"));
        struct space *space = &tl->space[i];
        if (name == NULL || strlen(name) >= sizeof space->name || projection == NULL) {
            return FAIL(tl, one, NULL, "a data space needs a name and a projection");
        }
        (void)snprintf(space->name, sizeof space->name, "%s", name);
        space->result = written != NULL && strcasecmp(written, "true") == 0;
        results += space->result;
        tl->spaces++;
        for (uint32_t r = 0; r < length_of(projection); r++) {
            if (!read_rank(tl, item(projection, r), space)) {
                return false;
            }
        }
    }
    return results == 1 || FAIL(tl, list, NULL, "%u data spaces are read-write, expected one", results);
}

/* ---- the instance ---- */

static bool read_bound(struct tl *tl, const struct sy_yaml_node *value)
{
    const char *name = value->key, *text = scalar(value);
    uint64_t number;
    struct named *known = find_name(tl->dim, tl->dims, name);
    known = known != NULL ? known : find_name(tl->coefficient, tl->coefficients, name);
    if (known == NULL) {
        if (strcmp(name, "shape") != 0 && strcmp(name, "version") != 0 && strcmp(name, "name") != 0) {
            sy_warn(tl->diag, sy_yaml_where_key(value), "densities and the like do not change the shape",
                    "'%s' has no effect", name);
        }
        return true;
    }
    if (text == NULL || !sy_text_to_u64(text, strlen(text), &number) || number == 0) {
        return FAIL(tl, value, NULL, "%s is '%s', expected a whole number of at least 1", name,
                    text != NULL ? text : "");
    }
    known->value = number;
    known->set = true;
    return true;
}

static bool read_instance(struct tl *tl, const struct sy_yaml_node *instance)
{
    if (instance == NULL || instance->kind != SY_YAML_MAPPING) {
        return FAIL(tl, instance, NULL, "the problem has no instance: bounds of its dimensions");
    }
    for (const struct sy_yaml_node *entry = instance->first; entry != NULL; entry = entry->next) {
        if (!read_bound(tl, entry)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < tl->dims; i++) {
        if (!tl->dim[i].set && sy_import_dim(tl->options, tl->dim[i].name, &tl->dim[i].value) != 1) {
            return FAIL(tl, instance, "or give it with --dim", "dimension '%s' has no bound", tl->dim[i].name);
        }
    }
    return true;
}

/* ---- the layer ---- */

static bool names(const struct space *space, uint32_t dim)
{
    return space->simple[dim] || space->summed[dim];
}

/* Operand that looks like weights: by its name, else the second one. */
static uint32_t weights_of(const struct tl *tl, const uint32_t operand[2])
{
    static const char *const words[] = {"weight", "filter", "kernel"};
    for (int i = 0; i < 2; i++) {
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
            if (strcasestr(tl->space[operand[i]].name, words[w]) != NULL) {
                return operand[i];
            }
        }
    }
    return operand[1];
}

struct sizes {
    uint64_t shared, left, right, inner;
}; /* products of bounds: in all three, a and result, b and result, a and b */

/* Multiply the bounds of every dimension that is not part of a window into its class. */
static bool sort_dims(struct tl *tl, uint32_t a, uint32_t b, uint32_t c, struct sizes *sizes)
{
    *sizes = (struct sizes){1, 1, 1, 1};
    for (uint32_t i = 0; i < tl->dims; i++) {
        bool in_a = names(&tl->space[a], i), in_b = names(&tl->space[b], i), in_c = names(&tl->space[c], i);
        if (tl->space[tl->input].summed[i] && tl->windows > 0) {
            continue;
        }
        if (in_a + in_b + in_c < 2) {
            if (tl->dim[i].value == 1) {
                continue;
            }
            return FAIL(tl, NULL, NULL, "dimension '%s' is in fewer than two data spaces: this is no product",
                        tl->dim[i].name);
        }
        uint64_t *into = in_a && in_b && in_c ? &sizes->shared
                         : in_a && in_c       ? &sizes->left
                         : in_b && in_c       ? &sizes->right
                                              : &sizes->inner;
        if (!sy_mul(*into, tl->dim[i].value, into)) {
            return FAIL(tl, NULL, NULL, "the bounds do not fit 64 bits");
        }
    }
    return true;
}

/* Sizes of one window: the dimension in the result is the output, the other the filter. */
static bool window_sizes(struct tl *tl, uint32_t index, const struct space *result, uint64_t *out, uint64_t *filter,
                         uint64_t *stride, uint64_t *dilation, uint64_t *in)
{
    const struct window *w = &tl->window[index];
    bool first_is_out = names(result, w->first);
    uint32_t position = first_is_out ? w->first : w->second, tap = first_is_out ? w->second : w->first;
    if (names(result, tap) || !names(result, position)) {
        return FAIL(tl, NULL, NULL, "a sum in '%s' is not output position plus filter position",
                    tl->space[tl->input].name);
    }
    *out = tl->dim[position].value;
    *filter = tl->dim[tap].value;
    *stride = first_is_out ? w->first_factor : w->second_factor;
    *dilation = first_is_out ? w->second_factor : w->first_factor;
    if (*out >= (1 << 30) || *filter >= (1 << 30)) {
        return FAIL(tl, NULL, NULL, "a window too large");
    }
    *in = (*out - 1) * *stride + (*filter - 1) * *dilation + 1;
    return true;
}

static bool make_conv(struct tl *tl, uint32_t weights, uint32_t result, struct sy_layer *layer)
{
    struct sizes sizes;
    sy_import_layer(layer, SY_OP_CONV, tl->options, SY_INT8, SY_INT8);
    struct sy_conv_dims *d = &layer->dim.conv;
    d->h = d->fh = 1;
    if (!sort_dims(tl, tl->input, weights, result, &sizes) ||
        !window_sizes(tl, 0, &tl->space[result], &d->ow, &d->fw, &d->sw, &d->dw, &d->w) ||
        (tl->windows == 2 && !window_sizes(tl, 1, &tl->space[result], &d->oh, &d->fh, &d->sh, &d->dh, &d->h))) {
        return false;
    }
    d->oh = d->ow = 0; /* the input is exactly what the windows reach */
    d->b = sizes.left;
    d->groups = sizes.shared;
    if (!sy_mul(sizes.inner, sizes.shared, &d->c) || !sy_mul(sizes.right, sizes.shared, &d->n)) {
        return FAIL(tl, NULL, NULL, "the bounds do not fit 64 bits");
    }
    return true;
}

static bool make_gemm(struct tl *tl, uint32_t a, uint32_t b, uint32_t result, struct sy_layer *layer)
{
    struct sizes sizes;
    sy_import_layer(layer, SY_OP_GEMM, tl->options, SY_INT8, SY_INT8);
    if (!sort_dims(tl, a, b, result, &sizes)) {
        return false;
    }
    layer->dim.gemm.g = sizes.shared;
    layer->dim.gemm.m = sizes.left;
    layer->dim.gemm.k = sizes.inner;
    layer->dim.gemm.n = sizes.right;
    return true;
}

static enum sy_status make_layer(struct tl *tl)
{
    uint32_t operand[2], result = 0, count = 0;
    for (uint32_t i = 0; i < MOST_SPACES; i++) {
        if (tl->space[i].result) {
            result = i;
        } else {
            operand[count++] = i;
        }
    }
    struct sy_layer layer;
    uint32_t weights = weights_of(tl, operand);
    if (tl->windows > 0) {
        weights = operand[0] == tl->input ? operand[1] : operand[0];
    }
    uint32_t other = operand[0] == weights ? operand[1] : operand[0];
    if (!(tl->windows > 0 ? make_conv(tl, weights, result, &layer) : make_gemm(tl, other, weights, result, &layer))) {
        return SY_INPUT;
    }
    layer.name = tl->name;
    layer.in[0].name = tl->space[other].name;
    layer.in[1].name = tl->space[weights].name;
    layer.out.name = tl->space[result].name;
    return sy_import_add(tl->workload, &layer, tl->path, tl->diag);
}

/* ---- the file ---- */

/* The one shape that Timeloop knows by name, written out. */
static const char cnn_layer[] =
    "name: cnn-layer\n"
    "dimensions: [R, S, P, Q, C, K, N]\n"
    "coefficients: [{name: Wstride}, {name: Hstride}, {name: Wdilation}, {name: Hdilation}]\n"
    "data_spaces:\n"
    "- {name: Weights, projection: [[[C]], [[K]], [[R]], [[S]]]}\n"
    "- {name: Inputs, projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S, Hdilation], [Q, Hstride]]]}\n"
    "- {name: Outputs, projection: [[[N]], [[K]], [[Q]], [[P]]], read_write: true}\n";

/* Coefficients get their values before projections read them. */
static bool read_shape(struct tl *tl, const struct sy_yaml_node *shape, const struct sy_yaml_node *instance)
{
    struct sy_yaml_node *known = NULL;
    const char *word = scalar(shape);
    if (word != NULL) {
        if (!same_key(word, "cnn-layer")) {
            return FAIL(tl, shape, "write the shape out, with dimensions and data_spaces", "shape '%s' is not known",
                        word);
        }
        if (sy_yaml_parse(tl->workload->arena, cnn_layer, sizeof cnn_layer - 1, "cnn-layer", &known, tl->diag) !=
            SY_OK) {
            return false;
        }
        shape = known;
    }
    const char *name = scalar(member(shape, "name"));
    tl->name = name != NULL ? name : "problem";
    return read_names(tl, shape) && read_instance(tl, instance) && read_spaces(tl, shape);
}

static enum sy_status read_problem(struct tl *tl, const struct sy_yaml_node *root)
{
    const struct sy_yaml_node *problem = member(root, "problem");
    const struct sy_yaml_node *shape = member(problem, "shape"), *instance = member(problem, "instance");
    if (problem == NULL || shape == NULL) {
        (void)FAIL(tl, problem != NULL ? problem : root, NULL, "there is no problem with a shape in this file");
        return SY_INPUT;
    }
    /* older files have the bounds beside the shape */
    return read_shape(tl, shape, instance != NULL ? instance : problem) ? make_layer(tl) : SY_INPUT;
}

static enum sy_status import_timeloop(const char *path, const char *data, size_t length,
                                      const struct sy_import_options *options, struct sy_workload **workload,
                                      struct sy_diag *diag)
{
    struct tl tl = {.path = path, .options = options, .diag = diag};
    struct sy_yaml_node *root = NULL;
    *workload = NULL;
    enum sy_status status = sy_workload_create(NULL, &tl.workload);
    if (status != SY_OK) {
        return status;
    }
    tl.workload->name = sy_import_name(tl.workload->arena, path);
    status = tl.workload->name == NULL ? SY_NOMEM : sy_yaml_parse(tl.workload->arena, data, length, path, &root, diag);
    status = status == SY_OK ? read_problem(&tl, root) : status;
    if (status != SY_OK) {
        sy_workload_destroy(tl.workload);
        return status;
    }
    *workload = tl.workload;
    return SY_OK;
}

static int sniff_timeloop(const char *path, const char *head, size_t length)
{
    size_t name = strlen(path);
    bool yaml =
        (name > 5 && strcmp(path + name - 5, ".yaml") == 0) || (name > 4 && strcmp(path + name - 4, ".yml") == 0);
    bool problem = memmem(head, length, "problem:", 8) != NULL;
    return problem ? (yaml ? 85 : 35) : yaml ? 10 : 0;
}

static const char *const suffixes[] = {".yaml", ".yml", NULL};

const struct sy_importer sy_importer_timeloop = {
    .name = "timeloop",
    .doc = "Timeloop problem YAML: one tensor operation",
    .suffixes = suffixes,
    .example = "tests/golden/timeloop/conv.yaml",
    .sniff = sniff_timeloop,
    .import = import_timeloop,
};
