/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim topology CSV, convolution and GEMM form.
 *
 * What its own readers do (v2, v3): the first line is skipped; fields are
 * taken by position; the field behind the last comma is dropped, so that a
 * trailing comma is needed; a layer whose name contains "DP" becomes one
 * single-channel layer a channel; a field N:M is structured sparsity; v2 takes
 * an optional second stride. The output size is ceil((size - filter + stride) /
 * stride): oh and ow are stored explicitly, with a warning where the usual
 * floor formula differs.
 *
 * Files that those readers reject are either repaired, saying so (trailing
 * comma missing, spacer and title lines, tabs for commas, unknown columns), or
 * refused with the line.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/csv.h"
#include "workloads/import/common.h"

enum { NAME_BYTES = 24, CONV_NUMBERS = 7, GEMM_NUMBERS = 3 };

enum form { FORM_UNKNOWN, FORM_CONV, FORM_GEMM };

static const char *const conv_words[CONV_NUMBERS] = {"ifmap height", "ifmap width", "filter height", "filter width",
                                                     "channels",     "num filter",  "strides"};
static const char *const gemm_words[GEMM_NUMBERS] = {"m", "n", "k"};

struct reader {
    const char *path;
    const struct sy_import_options *options;
    struct sy_diag *diag;
    struct sy_workload *workload;
    struct sy_csv csv;
    enum form form;
    const struct sy_csv_row *header;     /* NULL = none recognised */
    size_t first_row;                    /* of data */
    uint32_t numbers;                    /* positional numbers a row needs */
    int batch_column;                    /* field index, -1 = none */
    uint32_t spacers, no_comma, ignored; /* repairs, counted; the line of the first of each */
    uint32_t spacer_line, no_comma_line, ignored_line;
    bool failed;
};

static struct sy_where at(const struct reader *r, const struct sy_csv_row *row, uint32_t field)
{
    return (struct sy_where){
        .file = r->path, .line = row->line, .column = field < row->fields ? row->column[field] : 0};
}

/* ---- text of fields ---- */

/* Lower-case letters, digits and ':' of a header cell: "IFMAP Height" and non-breaking blanks become "ifmapheight". */
static void normalise(const char *text, char out[NAME_BYTES])
{
    size_t length = 0;
    for (; *text != '\0' && length + 1 < NAME_BYTES; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x80 && (isalnum(c) || c == ':')) {
            out[length++] = (char)tolower(c);
        }
    }
    out[length] = '\0';
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r")] == '\0';
}

/* Cut blanks at both ends, in place. */
static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL) {
        text[--length] = '\0';
    }
    return text;
}

static bool is_number(const char *text)
{
    uint64_t value;
    size_t skip = strspn(text, " \t\r");
    size_t length = strlen(text + skip);
    while (length > 0 && strchr(" \t\r", text[skip + length - 1]) != NULL) {
        length--;
    }
    return sy_text_to_u64(text + skip, length, &value);
}

/* Fields up to the last one that is not blank; a field that starts with '#' begins a comment. */
static uint32_t used_fields(const struct sy_csv_row *row)
{
    uint32_t used = 0;
    while (used < row->fields && row->field[used][strspn(row->field[used], " \t")] != '#') {
        used++;
    }
    while (used > 0 && is_blank(row->field[used - 1])) {
        used--;
    }
    return used;
}

/* ---- the header ---- */

static bool matches(const char *cell, const char *word)
{
    char have[NAME_BYTES], want[NAME_BYTES];
    normalise(cell, have);
    normalise(word, want);
    if (strcmp(have, want) == 0) {
        return true;
    }
    /* singular and plural: channel, num filters, stride */
    size_t length = strlen(want);
    if (length > 1 && want[length - 1] == 's') {
        want[length - 1] = '\0';
        return strcmp(have, want) == 0;
    }
    return length > 1 && strlen(have) == length + 1 && strncmp(have, want, length) == 0 && have[length] == 's';
}

static enum form header_form(const struct sy_csv_row *row)
{
    uint32_t conv = 0, gemm = 0;
    for (uint32_t i = 1; i < row->fields; i++) {
        for (uint32_t j = 0; j < CONV_NUMBERS; j++) {
            conv += matches(row->field[i], conv_words[j]);
        }
        for (uint32_t j = 0; j < GEMM_NUMBERS; j++) {
            gemm += matches(row->field[i], gemm_words[j]);
        }
    }
    if (conv >= 4) {
        return FORM_CONV;
    }
    return gemm == GEMM_NUMBERS ? FORM_GEMM : FORM_UNKNOWN;
}

/* The form of a file whose first line says nothing: from the number of fields of the first row of numbers. */
static enum form form_from_numbers(const struct reader *r, size_t from)
{
    for (size_t i = from; i < r->csv.rows; i++) {
        const struct sy_csv_row *row = &r->csv.row[i];
        uint32_t numbers = 0;
        while (numbers + 1 < row->fields && is_number(row->field[numbers + 1])) {
            numbers++;
        }
        if (numbers == GEMM_NUMBERS) {
            return FORM_GEMM;
        }
        if (numbers >= CONV_NUMBERS) {
            return FORM_CONV;
        }
    }
    return FORM_UNKNOWN;
}

static bool is_data(const struct sy_csv_row *row)
{
    return row->fields > GEMM_NUMBERS && is_number(row->field[1]) && is_number(row->field[2]) &&
           is_number(row->field[3]);
}

/* Columns are read by position, as the tool does; say where the heading promises something else. */
static bool check_headings(struct reader *r, const struct sy_csv_row *row)
{
    const char *const *words = r->form == FORM_CONV ? conv_words : gemm_words;
    for (uint32_t i = 0; i < r->numbers && i + 1 < row->fields; i++) {
        const char *cell = trim(row->field[i + 1]);
        if (matches(cell, words[i]) || *cell == '\0') {
            continue;
        }
        if (r->form == FORM_GEMM) {
            (void)sy_error(r->diag, at(r, row, i + 1), "put the columns in the order name, M, N, K",
                           "column %u is headed '%s', but columns are read by position and this one is %s", i + 2, cell,
                           words[i]);
            return false;
        }
        sy_warn(r->diag, at(r, row, i + 1), NULL,
                "column %u is headed '%s'; columns are read by position and this one is taken as %s", i + 2, cell,
                words[i]);
    }
    return true;
}

static enum form asked_form(const struct reader *r)
{
    const char *kind = r->options->kind;
    if (kind == NULL) {
        return FORM_UNKNOWN;
    }
    return strcmp(kind, "gemm") == 0 ? FORM_GEMM : FORM_CONV;
}

static struct sy_where line_of(const struct reader *r, uint32_t line)
{
    return (struct sy_where){.file = r->path, .line = line};
}

/* The first line that is not blank says the form, or is a layer itself, or says nothing. */
static bool find_form(struct reader *r, size_t first)
{
    const struct sy_csv_row *row = &r->csv.row[first];
    enum form asked = asked_form(r);
    r->form = header_form(row);
    r->first_row = first + 1;
    if (r->form != FORM_UNKNOWN) {
        r->header = row;
        if (asked == FORM_UNKNOWN || r->form == asked) {
            return true;
        }
        (void)sy_error(r->diag, at(r, row, 0), "leave the kind out to follow the header",
                       "the header is that of a %s topology, not of a %s one", r->form == FORM_CONV ? "conv" : "gemm",
                       asked == FORM_CONV ? "conv" : "gemm");
        return false;
    }
    bool data = is_data(row);
    r->form = asked != FORM_UNKNOWN ? asked : form_from_numbers(r, data ? first : first + 1);
    if (data) {
        r->first_row = first;
        sy_warn(r->diag, at(r, row, 0), "SCALE-Sim itself would skip this layer",
                "the file has no header line; its first line is read as a layer");
    }
    if (r->form == FORM_UNKNOWN) {
        (void)sy_error(r->diag, at(r, row, 0),
                       "expected `Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num "
                       "Filter, Strides,` or `Layer, M, N, K,`",
                       "this is not the header of a SCALE-Sim topology");
        return false;
    }
    return true;
}

static bool read_header(struct reader *r)
{
    size_t first = 0;
    while (first < r->csv.rows && used_fields(&r->csv.row[first]) == 0) {
        first++;
    }
    if (first == r->csv.rows) {
        (void)sy_error(r->diag, line_of(r, 1), NULL, "the file has no layers");
        return false;
    }
    if (!find_form(r, first)) {
        return false;
    }
    r->numbers = r->form == FORM_CONV ? CONV_NUMBERS : GEMM_NUMBERS;
    if (r->header == NULL) {
        return true;
    }
    for (uint32_t i = r->numbers + 1; i < r->header->fields; i++) {
        if (matches(r->header->field[i], "batch size") || matches(r->header->field[i], "batch")) {
            r->batch_column = (int)i;
            sy_warn(r->diag, at(r, r->header, i), "SCALE-Sim v2 would take it as a second stride, v3 refuses it",
                    "column %u is read as the batch size", i + 1);
        }
    }
    return check_headings(r, r->header);
}

/* ---- rows ---- */

static void fail(struct reader *r, const struct sy_csv_row *row, uint32_t field, const char *hint, const char *what)
{
    (void)sy_error(r->diag, at(r, row, field), hint, "layer '%s': %s", row->field[0], what);
    r->failed = true;
}

/* A number, or a symbol the user gave a value for. */
static bool read_value(struct reader *r, const struct sy_csv_row *row, uint32_t field, const char *what,
                       uint64_t *value)
{
    const char *text = row->field[field];
    if (sy_text_to_u64(text, strlen(text), value)) {
        return true;
    }
    int given = *text == '\0' ? 0 : sy_import_dim(r->options, text, value);
    if (given == 1) {
        return true;
    }
    const char *hint = "give a symbolic size a value, for example --dim B=8";
    if (given == -1) {
        hint = "the value given with --dim is not a whole number of at least 1";
    } else if (*text == '\0') {
        hint = "every size needs a value";
    } else if (strspn(text, "0123456789 .+-eE") == strlen(text)) {
        hint = "sizes are whole numbers below 2^64";
    }
    (void)sy_error(r->diag, at(r, row, field), hint, "layer '%s': %s is '%s', expected a whole number", row->field[0],
                   what, text);
    r->failed = true;
    return false;
}

static bool read_sparsity(struct reader *r, const struct sy_csv_row *row, uint32_t field, struct sy_sparsity *sparsity)
{
    const char *text = row->field[field];
    const char *colon = strchr(text, ':');
    uint64_t keep, group;
    if (!sy_text_to_u64(text, (size_t)(colon - text), &keep) || !sy_text_to_u64(colon + 1, strlen(colon + 1), &group) ||
        keep == 0 || keep > group || group > 1024) {
        fail(r, row, field, "2:4 keeps 2 of every 4 elements along K",
             "the sparsity is not N:M with 0 < N <= M <= 1024");
        return false;
    }
    if (group != 1) { /* 1:1 is dense; 4:4 keeps all too, but has places to be encoded */
        sparsity->keep = (uint32_t)keep;
        sparsity->group = (uint32_t)group;
    }
    return true;
}

/* What stands behind the positional numbers: second stride, N:M, batch, and columns we do not know. */
struct extras {
    uint64_t second_stride, batch;
    struct sy_sparsity sparsity;
};

/* v2 takes the number behind the stride as the column stride when nothing else is promised there. */
static bool is_second_stride(const struct reader *r, uint32_t field)
{
    return r->form == FORM_CONV && field == CONV_NUMBERS + 1 &&
           (r->header == NULL || field >= r->header->fields || is_blank(r->header->field[field]) ||
            matches(r->header->field[field], "strides"));
}

static bool read_extras(struct reader *r, const struct sy_csv_row *row, uint32_t used, struct extras *extras)
{
    for (uint32_t i = r->numbers + 1; i < used; i++) {
        const char *text = row->field[i];
        if (*text == '\0') {
            continue;
        }
        if ((int)i == r->batch_column) {
            if (!read_value(r, row, i, "batch size", &extras->batch)) {
                return false;
            }
        } else if (strchr(text, ':') != NULL) {
            if (!read_sparsity(r, row, i, &extras->sparsity)) {
                return false;
            }
        } else if (is_second_stride(r, i)) {
            if (!read_value(r, row, i, "the second stride", &extras->second_stride)) {
                return false;
            }
        } else if (r->ignored++ == 0) {
            r->ignored_line = row->line;
        }
    }
    return true;
}

static void warn_rounding(struct reader *r, const struct sy_csv_row *row, const struct sy_conv_dims *d)
{
    uint64_t floor_h = (d->h - d->fh) / d->sh + 1;
    uint64_t floor_w = (d->w - d->fw) / d->sw + 1;
    if (floor_h != d->oh || floor_w != d->ow) {
        sy_warn(r->diag, at(r, row, 0), "the stride does not divide the input: SCALE-Sim rounds the output size up",
                "layer '%s': output %" PRIu64 " x %" PRIu64 " as SCALE-Sim has it; frameworks would make %" PRIu64
                " x %" PRIu64,
                row->field[0], d->oh, d->ow, floor_h, floor_w);
    }
}

static bool fill_conv(struct reader *r, const struct sy_csv_row *row, const uint64_t *value,
                      const struct extras *extras, struct sy_layer *layer)
{
    sy_import_layer(layer, SY_OP_CONV, r->options, SY_INT8, SY_INT8);
    struct sy_conv_dims *d = &layer->dim.conv;
    d->h = value[0], d->w = value[1], d->fh = value[2], d->fw = value[3];
    d->c = value[4], d->n = value[5];
    d->sh = value[6];
    d->sw = extras->second_stride != 0 ? extras->second_stride : value[6];
    d->b = extras->batch;
    if (strstr(row->field[0], "DP") != NULL && d->c > 0) {
        /* One layer a channel in SCALE-Sim: channels groups of one channel with num filter filters each. */
        d->groups = d->c;
        if (!sy_mul(d->n, d->c, &d->n)) {
            fail(r, row, 6, NULL, "channels x filters does not fit 64 bits");
            return false;
        }
        sy_warn(r->diag, at(r, row, 0), "SCALE-Sim does this for every layer whose name contains DP",
                "layer '%s' is read as depthwise: %" PRIu64 " groups of one channel", row->field[0], d->groups);
    }
    if (d->fh > d->h || d->fw > d->w) {
        fail(r, row, 3, "SCALE-Sim has no padding: give the padded input size", "the filter is larger than the input");
        return false;
    }
    if (d->h >= UINT32_MAX || d->w >= UINT32_MAX || d->sh == 0 || d->sw == 0 || d->sh >= UINT32_MAX ||
        d->sw >= UINT32_MAX) {
        return true; /* sy_layer_check says what is wrong */
    }
    d->oh = (d->h - d->fh + d->sh + d->sh - 1) / d->sh;
    d->ow = (d->w - d->fw + d->sw + d->sw - 1) / d->sw;
    warn_rounding(r, row, d);
    return true;
}

static void fill_gemm(struct reader *r, const uint64_t *value, const struct extras *extras, struct sy_layer *layer)
{
    sy_import_layer(layer, SY_OP_GEMM, r->options, SY_INT8, SY_INT8);
    layer->dim.gemm.m = value[0];
    layer->dim.gemm.n = value[1];
    layer->dim.gemm.k = value[2];
    layer->dim.gemm.g = extras->batch;
    layer->dim.gemm.shared_b = extras->batch > 1;
}

static bool read_numbers(struct reader *r, const struct sy_csv_row *row, uint32_t used, uint64_t *value)
{
    const char *const *words = r->form == FORM_CONV ? conv_words : gemm_words;
    if (used < r->numbers + 1) {
        (void)sy_error(r->diag, at(r, row, used - 1), "every layer needs all sizes of the header",
                       "layer '%s': %u of %u sizes are there; the first missing one is %s", row->field[0], used - 1,
                       r->numbers, words[used - 1]);
        r->failed = true;
        return false;
    }
    for (uint32_t i = 0; i < r->numbers; i++) {
        if (!read_value(r, row, i + 1, words[i], &value[i])) {
            return false;
        }
    }
    return true;
}

/* used >= 2. A bad row is reported and the next one read. */
static enum sy_status read_row(struct reader *r, const struct sy_csv_row *row, uint32_t used)
{
    for (uint32_t i = 0; i < row->fields; i++) {
        row->field[i] = trim(row->field[i]);
    }
    uint64_t value[CONV_NUMBERS] = {0};
    struct extras extras = {.batch = r->options->batch != 0 ? r->options->batch : 1};
    if (!read_numbers(r, row, used, value) || !read_extras(r, row, used, &extras)) {
        return SY_OK;
    }
    if (used == row->fields && r->no_comma++ == 0) {
        r->no_comma_line = row->line;
    }
    struct sy_layer layer;
    if (r->form == FORM_GEMM) {
        fill_gemm(r, value, &extras, &layer);
    } else if (!fill_conv(r, row, value, &extras, &layer)) {
        return SY_OK;
    }
    layer.name = row->field[0];
    layer.line = row->line;
    layer.sparsity = extras.sparsity;
    enum sy_status status = sy_import_add(r->workload, &layer, r->path, r->diag);
    r->failed = r->failed || status == SY_INPUT;
    return status == SY_INPUT ? SY_OK : status;
}

static void report_repairs(const struct reader *r)
{
    if (r->spacers > 0) {
        sy_warn(r->diag, line_of(r, r->spacer_line), "SCALE-Sim itself refuses this file",
                "repaired: %u lines of commas only were skipped", r->spacers);
    }
    if (r->no_comma > 0) {
        sy_warn(r->diag, line_of(r, r->no_comma_line), "SCALE-Sim itself drops what stands behind the last comma",
                "repaired: %u lines have no trailing comma; their last field is read", r->no_comma);
    }
    if (r->ignored > 0) {
        sy_warn(r->diag, line_of(r, r->ignored_line), NULL,
                "%u fields in columns without a meaning for SCALE-Sim were ignored", r->ignored);
    }
}

static enum sy_status read_rows(struct reader *r)
{
    for (size_t i = r->first_row; i < r->csv.rows; i++) {
        const struct sy_csv_row *row = &r->csv.row[i];
        uint32_t used = used_fields(row);
        if (used == 0) {
            if (row->fields > 1 && r->spacers++ == 0) {
                r->spacer_line = row->line;
            }
            continue;
        }
        if (used == 1) {
            sy_warn(r->diag, at(r, row, 0), "SCALE-Sim itself refuses this file",
                    "repaired: '%s' has no sizes and is taken as a title", trim(row->field[0]));
            continue;
        }
        enum sy_status status = read_row(r, row, used);
        if (status != SY_OK) {
            return status;
        }
    }
    if (r->failed) {
        return SY_INPUT;
    }
    if (r->workload->records == 0) {
        return sy_error(r->diag, line_of(r, 0), NULL, "the file has no layers");
    }
    report_repairs(r);
    return SY_OK;
}

/* Tabs where commas belong: a file saved by a spreadsheet. */
static void repair_tabs(const struct reader *r, char *text, size_t length)
{
    const char *end = memchr(text, '\n', length);
    size_t first_line = end != NULL ? (size_t)(end - text) : length;
    if (memchr(text, ',', first_line) != NULL || memchr(text, '\t', first_line) == NULL) {
        return;
    }
    for (size_t i = 0; i < length; i++) {
        text[i] = text[i] == '\t' ? ',' : text[i];
    }
    sy_warn(r->diag, line_of(r, 1), "SCALE-Sim itself refuses this file",
            "repaired: fields are separated by tabs, not commas");
}

static bool kind_is_known(const struct sy_import_options *options, const char *path, struct sy_diag *diag)
{
    if (options->kind == NULL || strcmp(options->kind, "conv") == 0 || strcmp(options->kind, "gemm") == 0) {
        return true;
    }
    struct sy_where where = {.file = path};
    (void)sy_error(diag, where, "conv or gemm", "'%s' is no kind of SCALE-Sim topology", options->kind);
    return false;
}

static enum sy_status read_file(struct reader *r, const char *data, size_t length)
{
    char *text = sy_arena_strndup(r->workload->arena, data, length);
    r->workload->name = sy_import_name(r->workload->arena, r->path);
    if (text == NULL || r->workload->name == NULL) {
        return SY_NOMEM;
    }
    const char *nul = memchr(data, '\0', length);
    if (nul != NULL) {
        struct sy_where where = {.file = r->path, .has_offset = 1, .byte_offset = (uint64_t)(nul - data)};
        return sy_error(r->diag, where, NULL, "a zero byte: this is not a text file");
    }
    repair_tabs(r, text, length);
    enum sy_status status = sy_csv_parse(r->workload->arena, text, length, r->path, &r->csv, r->diag);
    if (status != SY_OK) {
        return status;
    }
    return read_header(r) ? read_rows(r) : SY_INPUT;
}

static enum sy_status import_scalesim(const char *path, const char *data, size_t length,
                                      const struct sy_import_options *options, struct sy_workload **workload,
                                      struct sy_diag *diag)
{
    *workload = NULL;
    if (!kind_is_known(options, path, diag)) {
        return SY_USAGE;
    }
    struct reader r = {.path = path, .options = options, .diag = diag, .batch_column = -1};
    enum sy_status status = sy_workload_create(NULL, &r.workload);
    if (status == SY_OK) {
        status = read_file(&r, data, length);
    }
    if (status != SY_OK) {
        sy_workload_destroy(r.workload);
        return status;
    }
    *workload = r.workload;
    return SY_OK;
}

static int sniff_scalesim(const char *path, const char *head, size_t length)
{
    const char *end = memchr(head, '\n', length);
    size_t line = end != NULL ? (size_t)(end - head) : length;
    char words[256];
    size_t used = 0;
    for (size_t i = 0; i < line && used + 1 < sizeof words; i++) {
        unsigned char c = (unsigned char)head[i];
        if (c < 0x80 && (isalnum(c) || c == ',')) {
            words[used++] = (char)tolower(c);
        }
    }
    words[used] = '\0';
    if (strncmp(words, "layer", 5) == 0 && (strstr(words, "ifmap") != NULL || strstr(words, ",m,n,k") != NULL)) {
        return 95;
    }
    size_t name = strlen(path);
    return name > 4 && strcmp(path + name - 4, ".csv") == 0 ? 30 : 0;
}

static const char *const suffixes[] = {".csv", NULL};

const struct sy_importer sy_importer_scalesim = {
    .name = "scalesim",
    .doc = "SCALE-Sim topology CSV: convolutions or matrix products, one a line",
    .suffixes = suffixes,
    .example = "tests/golden/scalesim_topologies/conv_nets/alexnet.csv",
    .sniff = sniff_scalesim,
    .import = import_scalesim,
};
