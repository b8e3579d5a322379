/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of a trace into a record. The grammar stands at the head of
 * trace.h; the words come from the table of syntax.h.
 *
 * This is a hot path: no allocation, no copy but of names.
 */
#include <stdio.h>

#include "traces/scan.h"

/* ---- values of layers ---- */

static bool parse_word(struct sy_scan *scan, const struct sy_key *key, uint64_t *index)
{
    size_t length = sy_word_length(scan->p);
    uint64_t i = 0;
    for (; key->names[i] != NULL; i++) {
        if (strlen(key->names[i]) == length && memcmp(key->names[i], scan->p, length) == 0) {
            scan->p += length;
            *index = i;
            return true;
        }
    }
    char what[64];
    (void)snprintf(what, sizeof what, "a value of %s", key->name);
    return sy_scan_unlisted(scan, what, key->names, i);
}

static const struct {
    const char *name;
    size_t length;
    uint32_t flag;
} flags[] = {{"weight", 6, SY_TENSOR_WEIGHT},
             {"shared", 6, SY_TENSOR_SHARED},
             {"pinned", 6, SY_TENSOR_PINNED},
             {"state", 5, SY_TENSOR_STATE}};
enum { FLAGS = sizeof flags / sizeof flags[0] };

static bool parse_flag(struct sy_scan *scan, struct sy_tensor *tensor)
{
    size_t length = sy_word_length(scan->p);
    const char *list[FLAGS];
    for (uint32_t i = 0; i < FLAGS; i++) {
        list[i] = flags[i].name;
        if (length != flags[i].length || memcmp(scan->p, flags[i].name, length) != 0) {
            continue;
        }
        if (tensor->flags & flags[i].flag) {
            return SY_SCAN_FAIL(scan, scan->p, NULL, "flag %s is given twice", flags[i].name);
        }
        tensor->flags |= flags[i].flag;
        scan->p += length;
        return true;
    }
    return sy_scan_unlisted(scan, "a tensor flag", list, FLAGS);
}

static inline bool parse_tensor(struct sy_scan *scan, struct sy_tensor *tensor)
{
    tensor->flags = 0;
    if (!sy_scan_name(scan, &tensor->name)) {
        return false;
    }
    if (*scan->p != ':') {
        return SY_SCAN_FAIL(scan, scan->p, "a tensor is written NAME:DTYPE, for example x:int8",
                            "the tensor has no data type; expected ':'");
    }
    scan->p++;
    if (!sy_scan_dtype(scan, &tensor->dtype)) {
        return false;
    }
    while (*scan->p == ':') {
        scan->p++;
        if (!parse_flag(scan, tensor)) {
            return false;
        }
    }
    return true;
}

static bool parse_post(struct sy_scan *scan, struct sy_layer *layer)
{
    for (layer->epilogues = 0;; scan->p++) {
        if (layer->epilogues == SY_MAX_EPILOGUE) {
            return SY_SCAN_FAIL(scan, scan->p, NULL, "more than %d functions in post", SY_MAX_EPILOGUE);
        }
        uint32_t function = sy_scan_word(scan, &scan->syntax->functions);
        if (function == SY_NO_WORD) {
            return sy_scan_unknown_word(scan, "a function", &scan->syntax->functions);
        }
        layer->epilogue[layer->epilogues++] = (enum sy_function)function;
        if (*scan->p != '+') {
            return true;
        }
    }
}

/* Numbers with one byte between them: 128,64,32 or 2:4. */
static bool parse_list(struct sy_scan *scan, char between, uint32_t count, uint64_t *numbers, const char *form)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            if (*scan->p != between) {
                return SY_SCAN_FAIL(scan, scan->p, NULL, "expected %s", form);
            }
            scan->p++;
        }
        if (!sy_scan_u64(scan, &numbers[i])) {
            return false;
        }
    }
    return true;
}

static bool parse_sparsity(struct sy_scan *scan, struct sy_sparsity *sparsity)
{
    const char *at = scan->p;
    uint64_t number[2];
    if (!parse_list(scan, ':', 2, number, "keep:group, for example 2:4")) {
        return false;
    }
    if (number[0] == 0 || number[0] > number[1] || number[1] > UINT32_MAX) {
        return SY_SCAN_FAIL(scan, at, NULL, "sparsity keeps %llu of %llu; expected 1 <= keep <= group",
                            (unsigned long long)number[0], (unsigned long long)number[1]);
    }
    *sparsity = (struct sy_sparsity){(uint32_t)number[0], (uint32_t)number[1]};
    return true;
}

static bool parse_fuse(struct sy_scan *scan, struct sy_fuse *fuse)
{
    static const char *const form = "layers:rows:keep or layers:rows:recompute, for example 3:8:keep";
    const char *at = scan->p;
    uint64_t number[2];
    if (!parse_list(scan, ':', 2, number, form)) {
        return false;
    }
    if (number[0] < 2 || number[0] > SY_FUSE_LAYERS || number[1] == 0) {
        return SY_SCAN_FAIL(scan, at, NULL,
                            "fuse takes %llu layers in strips of %llu rows; expected 2 to %d layers, 1 row or more",
                            (unsigned long long)number[0], (unsigned long long)number[1], SY_FUSE_LAYERS);
    }
    const char *word = scan->p;
    while (scan->p<scan->end && * scan->p> ' ') {
        scan->p++;
    }
    size_t length = (size_t)(scan->p - word);
    bool keep = length == 5 && memcmp(word, ":keep", 5) == 0;
    if (!keep && !(length == 10 && memcmp(word, ":recompute", 10) == 0)) {
        scan->p = word;
        return SY_SCAN_FAIL(scan, word, NULL, "expected %s", form);
    }
    *fuse = (struct sy_fuse){(uint32_t)number[0], keep ? SY_HALO_KEEP : SY_HALO_RECOMPUTE, number[1]};
    return true;
}

static bool parse_zeros(struct sy_scan *scan, struct sy_value_statistics *values)
{
    const char *at = scan->p;
    uint64_t number[2];
    if (!parse_list(scan, ':', 2, number, "percent of A:percent of B, for example 40:0")) {
        return false;
    }
    if (number[0] > 100 || number[1] > 100) {
        return SY_SCAN_FAIL(scan, at, NULL, "zeros are %llu:%llu percent of A and B; expected 0 to 100",
                            (unsigned long long)number[0], (unsigned long long)number[1]);
    }
    values->has_zeros = true;
    values->zeros_a = (uint8_t)number[0];
    values->zeros_b = (uint8_t)number[1];
    return true;
}

static bool parse_toggles(struct sy_scan *scan, struct sy_value_statistics *values)
{
    const char *at = scan->p;
    uint64_t number = 0;
    if (!sy_scan_u64(scan, &number)) {
        return false;
    }
    if (number == 0 || number > 100) {
        return SY_SCAN_FAIL(scan, at, NULL, "%llu percent of the bits toggle; expected 1 to 100",
                            (unsigned long long)number);
    }
    values->toggles = (uint8_t)number;
    return true;
}

/* Kept as it stands, once it is known to be a list; what it must sum to, sy_layer_check says. */
static bool parse_sequences(struct sy_scan *scan, struct sy_layer *layer)
{
    char *to = sy_scan_names_room(scan);
    size_t length = 0;
    while (length <= SY_MAX_SEQUENCES_TEXT && (unsigned char)scan->p[length] > ' ' && scan->p[length] != '#') {
        length++;
    }
    if (length == 0 || length > SY_MAX_SEQUENCES_TEXT) {
        return SY_SCAN_FAIL(scan, scan->p, NULL, "expected COUNTxQUERIES:KEYS,... of at most %d bytes",
                            SY_MAX_SEQUENCES_TEXT);
    }
    memcpy(to, scan->p, length);
    to[length] = '\0';
    const char *stop = to;
    struct sy_sequence total;
    if (!sy_sequences_total(to, &total, &stop)) {
        const char *at = scan->p + (stop - to);
        return SY_SCAN_FAIL(scan, at, "for example 4x1:129,1x1:4097",
                            "'%s' is no kind of sequence; expected COUNTxQUERIES:KEYS, at most %d of them",
                            sy_excerpt(scan, at).text, SY_MAX_SEQUENCE_KINDS);
    }
    layer->dim.attention.sequences = sy_scan_keep_name(scan, length);
    scan->p += length;
    return true;
}

static struct sy_schedule *schedule_level(struct sy_layer *layer, uint32_t level)
{
    layer->has_schedule = true;
    if (layer->schedule.levels <= level) {
        layer->schedule.levels = level + 1;
    }
    return &layer->schedule;
}

static bool parse_order(struct sy_scan *scan, char order[4])
{
    unsigned loops = 0;
    const char *p = scan->p;
    for (unsigned n = 0; n < 3; n++, p++) {
        loops |= *p == 'm' ? 1 : *p == 'n' ? 2 : *p == 'k' ? 4 : 0;
        order[n] = *p;
        if (*p == '\n') {
            break;
        }
    }
    if (loops != 7) {
        return SY_SCAN_FAIL(scan, scan->p, NULL, "'%s' is not a loop order; expected m, n and k in some order",
                            sy_excerpt(scan, scan->p).text);
    }
    order[3] = '\0';
    scan->p = p;
    return true;
}

static bool parse_dataflow(struct sy_scan *scan, struct sy_layer *layer)
{
    size_t length = sy_word_length(scan->p);
    if (length == 0 || length >= sizeof layer->schedule.dataflow) {
        return SY_SCAN_FAIL(scan, scan->p, NULL, "'%s' is not a dataflow name of 1 to %d letters",
                            sy_excerpt(scan, scan->p).text, (int)sizeof layer->schedule.dataflow - 1);
    }
    layer->has_schedule = true;
    memcpy(layer->schedule.dataflow, scan->p, length);
    layer->schedule.dataflow[length] = '\0';
    scan->p += length;
    return true;
}

static bool parse_resident(struct sy_scan *scan, struct sy_layer *layer)
{
    if (*scan->p < 'A' || *scan->p > 'C') {
        return SY_SCAN_FAIL(scan, scan->p, NULL, "'%s' cannot stay resident; expected A, B or C",
                            sy_excerpt(scan, scan->p).text);
    }
    layer->has_schedule = true;
    layer->schedule.resident = *scan->p++;
    return true;
}

/* What a record gathers while its keys are read. */
struct gathered {
    uint64_t seen;  /* a bit a key */
    uint32_t named; /* named inputs: highest index + 1 */
    uint32_t extras;
    struct sy_tensor extra[SY_MAX_INPUTS]; /* epilogue operands, placed behind the named inputs at the end */
};

static bool parse_rare_value(struct sy_scan *scan, const struct sy_key *key, struct sy_layer *layer)
{
    switch ((enum sy_value_kind)key->kind) {
    case SY_VALUE_WORD: {
        uint64_t index = 0;
        bool ok = parse_word(scan, key, &index);
        memcpy((char *)layer + key->offset, &index, sizeof index);
        return ok;
    }
    case SY_VALUE_SPARSITY:
        return parse_sparsity(scan, &layer->sparsity);
    case SY_VALUE_FUSE:
        return parse_fuse(scan, &layer->fuse);
    case SY_VALUE_ZEROS:
        return parse_zeros(scan, &layer->values);
    case SY_VALUE_TOGGLES:
        return parse_toggles(scan, &layer->values);
    case SY_VALUE_SEQUENCES:
        return parse_sequences(scan, layer);
    case SY_VALUE_TILE:
        return parse_list(scan, ',', 3, schedule_level(layer, key->index)->tile[key->index], "m,k,n");
    case SY_VALUE_ORDER:
        return parse_order(scan, schedule_level(layer, key->index)->order[key->index]);
    case SY_VALUE_DATAFLOW:
        return parse_dataflow(scan, layer);
    case SY_VALUE_RESIDENT:
        return parse_resident(scan, layer);
    case SY_VALUE_U64:
    case SY_VALUE_U8:
    case SY_VALUE_DTYPE8:
    case SY_VALUE_INPUT:
    case SY_VALUE_EXTRA:
    case SY_VALUE_OUTPUT:
    case SY_VALUE_ACCUMULATOR:
    case SY_VALUE_POST:
        break;
    }
    return SY_SCAN_FAIL(scan, scan->p, NULL, "internal error: a key of another record");
}

static bool parse_extra(struct sy_scan *scan, struct gathered *got)
{
    if (got->extras == SY_MAX_INPUTS) {
        return SY_SCAN_FAIL(scan, scan->p, NULL, "more than %d inputs", SY_MAX_INPUTS);
    }
    return parse_tensor(scan, &got->extra[got->extras++]);
}

static inline bool parse_layer_value(struct sy_scan *scan, const struct sy_key *key, struct sy_layer *layer,
                                     struct gathered *got)
{
    if (key->kind == SY_VALUE_U64) { /* most values are: a branch is predicted better than a jump table */
        uint64_t number = 0;
        bool ok = sy_scan_ranged(scan, key, &number);
        memcpy((char *)layer + key->offset, &number, sizeof number);
        return ok;
    }
    switch (key->kind) {
    case SY_VALUE_INPUT:
        got->named = got->named > key->index ? got->named : key->index + 1u;
        return parse_tensor(scan, &layer->in[key->index]);
    case SY_VALUE_OUTPUT:
        return parse_tensor(scan, &layer->out);
    case SY_VALUE_EXTRA:
        return parse_extra(scan, got);
    case SY_VALUE_ACCUMULATOR:
        return sy_scan_dtype(scan, &layer->accumulator);
    case SY_VALUE_POST:
        return parse_post(scan, layer);
    default:
        return parse_rare_value(scan, key, layer);
    }
}

/* ---- layers ---- */

static bool place_inputs(struct sy_scan *scan, struct sy_layer *layer, const struct gathered *got)
{
    uint32_t least = sy_ops[layer->op].min_inputs;
    layer->inputs = got->named > least ? got->named : least;
    if (layer->inputs + got->extras > SY_MAX_INPUTS) {
        return SY_SCAN_FAIL(scan, scan->end, NULL, "the layer reads %u tensors; the most is %d",
                            layer->inputs + got->extras, SY_MAX_INPUTS);
    }
    for (uint32_t i = 0; i < got->extras; i++) {
        layer->in[layer->inputs++] = got->extra[i];
    }
    return true;
}

static enum sy_status parse_layer(struct sy_scan *scan, const struct sy_record_syntax *record, struct sy_layer *layer)
{
    *layer = scan->syntax->layer[record->index];
    layer->line = scan->line > UINT32_MAX ? UINT32_MAX : (uint32_t)scan->line;
    if (!sy_scan_name(scan, &layer->name) || !sy_scan_value_ends(scan)) {
        return SY_INPUT;
    }
    struct gathered got;
    got.seen = 0;
    got.named = got.extras = 0;
    while (!sy_scan_at_end(scan)) {
        const char *at = scan->p;
        const struct sy_key *key = sy_scan_key(scan, record);
        if (key == NULL || !sy_scan_mark_seen(scan, at, record, key, &got.seen) ||
            !parse_layer_value(scan, key, layer, &got) || !sy_scan_value_ends(scan)) {
            return SY_INPUT;
        }
    }
    if (((record->required & ~got.seen) != 0 && !sy_scan_has_required(scan, record, got.seen)) ||
        !place_inputs(scan, layer, &got)) {
        return SY_INPUT;
    }
    return scan->check ? sy_layer_check(layer, scan->file, scan->diag) : SY_OK;
}

/* ---- the other lines ---- */

static enum sy_status parse_repeat(struct sy_scan *scan, uint64_t *times)
{
    const char *at = scan->p;
    if (!sy_scan_u64(scan, times)) {
        return SY_INPUT;
    }
    if (*times == 0) {
        return sy_scan_error(scan, at, NULL, "repeat 0; expected at least 1");
    }
    sy_scan_skip_blanks(scan);
    if (*scan->p != '{') {
        return sy_scan_error(scan, scan->p, NULL, "expected '{' after repeat %llu", (unsigned long long)*times);
    }
    scan->p++;
    return sy_scan_value_ends(scan) ? SY_OK : SY_INPUT;
}

static enum sy_status parse_unmodelled(struct sy_scan *scan, struct sy_unmodelled *item)
{
    item->next = NULL;
    bool ok = sy_scan_name(scan, &item->op) && sy_scan_value_ends(scan) && sy_scan_u64(scan, &item->count) &&
              sy_scan_value_ends(scan) && sy_scan_u64(scan, &item->bytes) && sy_scan_value_ends(scan);
    return ok ? SY_OK : SY_INPUT;
}

static enum sy_status parse_unread(struct sy_scan *scan, struct sy_unread *unread)
{
    bool ok = sy_scan_u64(scan, &unread->elements) && sy_scan_value_ends(scan) && sy_scan_u64(scan, &unread->bytes) &&
              sy_scan_value_ends(scan);
    return ok ? SY_OK : SY_INPUT;
}

/* How many chips run the pass, 1 when left out. */
static bool parse_chips(struct sy_scan *scan, uint64_t *chips)
{
    const char *at = scan->p;
    *chips = 1;
    if (sy_scan_at_end(scan)) {
        return true;
    }
    if (!sy_scan_u64(scan, chips) || !sy_scan_value_ends(scan)) {
        return false;
    }
    return *chips > 0 || SY_SCAN_FAIL(scan, at, NULL, "0 chips run the pass; expected 1 or more");
}

static enum sy_status parse_pass(struct sy_scan *scan, struct sy_pass *pass)
{
    static const char *const phases[] = {"prefill", "decode", "train-step"};
    const char *at = scan->p;
    bool known = false;
    if (!sy_scan_name(scan, &pass->phase)) {
        return SY_INPUT;
    }
    for (size_t i = 0; i < sizeof phases / sizeof phases[0] && pass->phase != NULL; i++) {
        known = known || strcmp(pass->phase, phases[i]) == 0;
    }
    if (!known) {
        return sy_scan_error(scan, at, NULL, "expected prefill, decode or train-step");
    }
    bool ok = sy_scan_value_ends(scan) && sy_scan_u64(scan, &pass->sequences) && sy_scan_value_ends(scan) &&
              sy_scan_u64(scan, &pass->tokens) && sy_scan_value_ends(scan) && sy_scan_u64(scan, &pass->context) &&
              sy_scan_value_ends(scan) && parse_chips(scan, &pass->chips);
    return ok ? SY_OK : SY_INPUT;
}

static inline const struct sy_record_syntax *parse_first_word(struct sy_scan *scan)
{
    const struct sy_syntax *syntax = scan->syntax;
    size_t length = *scan->p == '}' ? 1 : sy_word_length(scan->p);
    uint32_t index = sy_words_find(&syntax->words, scan->p, length, sy_word_head(scan->p, length));
    if (index == SY_NO_WORD) {
        (void)sy_scan_unknown_word(scan, "an operator, a command or another record", &syntax->words);
        return NULL;
    }
    scan->p += length;
    return sy_scan_value_ends(scan) ? &syntax->record[index] : NULL;
}

static enum sy_status parse_body(struct sy_scan *scan, struct sy_parsed *parsed, const struct sy_record_syntax *syntax)
{
    struct sy_trace_record *record = parsed->record;
    switch (syntax->form) {
    case SY_FORM_LAYER:
        record->kind = SY_TRACE_LAYER;
        return parse_layer(scan, syntax, &record->layer);
    case SY_FORM_COMMAND:
        record->kind = SY_TRACE_COMMAND;
        return sy_parse_command(scan, syntax, &record->command);
    case SY_FORM_REPEAT:
        record->kind = SY_TRACE_REPEAT;
        return parse_repeat(scan, &record->repeat);
    case SY_FORM_CLOSE:
        record->kind = SY_TRACE_END_REPEAT;
        return SY_OK;
    case SY_FORM_UNMODELLED:
        record->kind = SY_TRACE_UNMODELLED;
        return parse_unmodelled(scan, &record->unmodelled);
    case SY_FORM_UNREAD:
        record->kind = SY_TRACE_UNREAD;
        return parse_unread(scan, &record->unread);
    case SY_FORM_PASS:
        record->kind = SY_TRACE_PASS;
        return parse_pass(scan, &record->pass);
    case SY_FORM_NET:
        return sy_scan_name(scan, &parsed->name) && sy_scan_value_ends(scan) ? SY_OK : SY_INPUT;
    case SY_FORM_END:
        return sy_scan_u64(scan, &parsed->count) && sy_scan_value_ends(scan) ? SY_OK : SY_INPUT;
    }
    return SY_INTERNAL;
}

enum sy_status sy_parse_line(struct sy_scan *scan, struct sy_parsed *parsed)
{
    scan->names_used = 0;
    const struct sy_record_syntax *syntax = parse_first_word(scan);
    if (syntax == NULL) {
        return SY_INPUT;
    }
    parsed->form = syntax->form;
    parsed->record->line = scan->line;
    parsed->record->byte_offset = scan->byte_offset;
    enum sy_status status = parse_body(scan, parsed, syntax);
    if (status == SY_OK && !sy_scan_at_end(scan)) {
        return sy_scan_error(scan, scan->p, NULL, "'%s' follows the end of the record", sy_excerpt(scan, scan->p).text);
    }
    return status;
}
