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
#include <yaml.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"
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
    yaml_document_t *document;
    const char *name; /* of the shape */
    uint32_t dims, coefficients, spaces, windows;
    struct named dim[MOST_DIMS], coefficient[MOST_COEFFICIENTS];
    struct space space[MOST_SPACES];
    struct window window[MOST_WINDOWS];
    uint32_t input; /* data space with the windows */
    bool failed;
};

/* ---- YAML ---- */

static struct sy_where at(const struct tl *tl, const yaml_node_t *node)
{
    struct sy_where where = {.file = tl->path};
    if (node != NULL) {
        where.line = (uint32_t)node->start_mark.line + 1;
        where.column = (uint32_t)node->start_mark.column + 1;
    }
    return where;
}

#define FAIL(tl, node, hint, ...)                                                                                      \
    ((void)sy_error((tl)->diag, at((tl), (node)), (hint), __VA_ARGS__), (tl)->failed = true, false)

static yaml_node_t *node_of(const struct tl *tl, int index)
{
    return yaml_document_get_node(tl->document, index);
}

static const char *scalar(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
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

static yaml_node_t *member(const struct tl *tl, const yaml_node_t *mapping, const char *key)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING_NODE) {
        return NULL;
    }
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
         pair++) {
        const char *name = scalar(node_of(tl, pair->key));
        if (name != NULL && same_key(name, key)) {
            return node_of(tl, pair->value);
        }
    }
    return NULL;
}

static uint32_t length_of(const yaml_node_t *list)
{
    bool is_list = list != NULL && list->type == YAML_SEQUENCE_NODE;
    return is_list ? (uint32_t)(list->data.sequence.items.top - list->data.sequence.items.start) : 0;
}

static yaml_node_t *item(const struct tl *tl, const yaml_node_t *list, uint32_t index)
{
    return index < length_of(list) ? node_of(tl, list->data.sequence.items.start[index]) : NULL;
}

/* ---- dimensions and coefficients ---- */

static bool add_name(struct tl *tl, const yaml_node_t *node, struct named *list, uint32_t *count, uint32_t most,
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

static bool read_names(struct tl *tl, const yaml_node_t *shape)
{
    const yaml_node_t *dims = member(tl, shape, "dimensions"), *coefficients = member(tl, shape, "coefficients");
    if (length_of(dims) == 0) {
        return FAIL(tl, shape, NULL, "the shape has no list of dimensions");
    }
    for (uint32_t i = 0; i < length_of(dims); i++) {
        if (!add_name(tl, item(tl, dims, i), tl->dim, &tl->dims, MOST_DIMS, 0, false)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < length_of(coefficients); i++) {
        const yaml_node_t *one = item(tl, coefficients, i), *fallback = member(tl, one, "default");
        uint64_t value = 1;
        const char *text = scalar(fallback);
        if (text != NULL && !sy_text_to_u64(text, strlen(text), &value)) {
            return FAIL(tl, fallback, NULL, "default is '%s', expected a whole number", text);
        }
        if (!add_name(tl, member(tl, one, "name"), tl->coefficient, &tl->coefficients, MOST_COEFFICIENTS, value,
                      true)) {
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
static bool read_term(struct tl *tl, const yaml_node_t *node, struct term *term)
{
    const char *dim = scalar(item(tl, node, 0)), *factor = scalar(item(tl, node, 1));
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

static bool read_rank(struct tl *tl, const yaml_node_t *rank, struct space *space)
{
    struct term terms[2];
    uint32_t count = length_of(rank);
    if (count == 0 || count > 2) {
        return FAIL(tl, rank, NULL, "a rank of '%s' is a sum of %u terms; one or two are modelled", space->name, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_term(tl, item(tl, rank, i), &terms[i])) {
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

static bool read_spaces(struct tl *tl, const yaml_node_t *shape)
{
    const yaml_node_t *list = member(tl, shape, "data_spaces");
    uint32_t results = 0;
    if (length_of(list) != MOST_SPACES) {
        return FAIL(tl, list != NULL ? list : shape, NULL, "%u data spaces; two operands and one result are modelled",
                    length_of(list));
    }
    for (uint32_t i = 0; i < MOST_SPACES; i++) {
        const yaml_node_t *one = item(tl, list, i), *projection = member(tl, one, "projection");
        const char *name = scalar(member(tl, one, "name")), *written = scalar(member(tl, one, "read_write"));
        struct space *space = &tl->space[i];
        if (name == NULL || strlen(name) >= sizeof space->name || projection == NULL) {
            return FAIL(tl, one, NULL, "a data space needs a name and a projection");
        }
        (void)snprintf(space->name, sizeof space->name, "%s", name);
        space->result = written != NULL && strcasecmp(written, "true") == 0;
        results += space->result;
        tl->spaces++;
        for (uint32_t r = 0; r < length_of(projection); r++) {
            if (!read_rank(tl, item(tl, projection, r), space)) {
                return false;
            }
        }
    }
    return results == 1 || FAIL(tl, list, NULL, "%u data spaces are read-write, expected one", results);
}

/* ---- the instance ---- */

static bool read_bound(struct tl *tl, const yaml_node_t *key, const yaml_node_t *value)
{
    const char *name = scalar(key), *text = scalar(value);
    uint64_t number;
    struct named *known = name != NULL ? find_name(tl->dim, tl->dims, name) : NULL;
    known = known == NULL && name != NULL ? find_name(tl->coefficient, tl->coefficients, name) : known;
    if (known == NULL) {
        if (name != NULL && strcmp(name, "shape") != 0 && strcmp(name, "version") != 0 && strcmp(name, "name") != 0) {
            sy_warn(tl->diag, at(tl, key), "densities and the like do not change the shape", "'%s' has no effect",
                    name);
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

static bool read_instance(struct tl *tl, const yaml_node_t *instance)
{
    if (instance == NULL || instance->type != YAML_MAPPING_NODE) {
        return FAIL(tl, instance, NULL, "the problem has no instance: bounds of its dimensions");
    }
    for (const yaml_node_pair_t *p = instance->data.mapping.pairs.start; p < instance->data.mapping.pairs.top; p++) {
        if (!read_bound(tl, node_of(tl, p->key), node_of(tl, p->value))) {
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
    sy_import_layer(layer, SY_OP_CONV, tl->options, SY_INT8, SY_INT8, SY_INT32);
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
    sy_import_layer(layer, SY_OP_GEMM, tl->options, SY_INT8, SY_INT8, SY_INT32);
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

static bool load(struct tl *tl, const char *text, size_t length, yaml_document_t *document)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        tl->failed = true;
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    bool good = yaml_parser_load(&parser, document) != 0;
    if (!good) {
        struct sy_where where = {.file = tl->path,
                                 .line = (uint32_t)parser.problem_mark.line + 1,
                                 .column = (uint32_t)parser.problem_mark.column + 1};
        (void)sy_error(tl->diag, where, NULL, "not valid YAML: %s", parser.problem != NULL ? parser.problem : "");
        tl->failed = true;
    }
    yaml_parser_delete(&parser);
    return good;
}

/* A shape that is given by name needs its own document. Coefficients get their values before projections read them. */
static bool read_shape(struct tl *tl, const yaml_node_t *shape, const yaml_node_t *instance, yaml_document_t *outer)
{
    yaml_document_t known;
    const char *word = scalar(shape);
    if (word == NULL) {
        const char *name = scalar(member(tl, shape, "name"));
        tl->name = name != NULL ? name : "problem";
        return read_names(tl, shape) && read_instance(tl, instance) && read_spaces(tl, shape);
    }
    if (!same_key(word, "cnn-layer")) {
        return FAIL(tl, shape, "write the shape out, with dimensions and data_spaces", "shape '%s' is not known", word);
    }
    if (!load(tl, cnn_layer, sizeof cnn_layer - 1, &known)) {
        return false;
    }
    tl->name = "cnn-layer";
    tl->document = &known;
    const yaml_node_t *root = yaml_document_get_root_node(&known);
    bool good = read_names(tl, root);
    tl->document = outer;
    good = good && read_instance(tl, instance);
    tl->document = &known;
    good = good && read_spaces(tl, root);
    tl->document = outer;
    yaml_document_delete(&known);
    return good;
}

static enum sy_status read_problem(struct tl *tl)
{
    yaml_node_t *root = yaml_document_get_root_node(tl->document), *problem = member(tl, root, "problem");
    yaml_node_t *shape = member(tl, problem, "shape"), *instance = member(tl, problem, "instance");
    if (problem == NULL || shape == NULL) {
        (void)FAIL(tl, problem != NULL ? problem : root, NULL, "there is no problem with a shape in this file");
        return SY_INPUT;
    }
    /* older files have the bounds beside the shape */
    if (!read_shape(tl, shape, instance != NULL ? instance : problem, tl->document)) {
        return SY_INPUT;
    }
    return make_layer(tl);
}

static enum sy_status import_timeloop(const char *path, const char *data, size_t length,
                                      const struct sy_import_options *options, struct sy_workload **workload,
                                      struct sy_diag *diag)
{
    struct tl tl = {.path = path, .options = options, .diag = diag};
    yaml_document_t document;
    *workload = NULL;
    enum sy_status status = sy_workload_create(NULL, &tl.workload);
    if (status != SY_OK) {
        return status;
    }
    tl.workload->name = sy_import_name(tl.workload->arena, path);
    if (tl.workload->name == NULL) {
        status = SY_NOMEM;
    } else if (!load(&tl, data, length, &document)) {
        status = SY_INPUT;
    } else {
        tl.document = &document;
        status = read_problem(&tl);
        yaml_document_delete(&document);
    }
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
