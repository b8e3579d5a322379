/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Value change dump (IEEE 1364 section 18), four-state VCD, for both backends.
 *
 * The model hands over changes; they are held until time has moved on, so that
 * of several values at one tick the last is written, and only if it differs from
 * the one before. States: open (variables are declared) --first change or
 * close--> header written. Invariant: `changed` lists exactly the variables
 * whose `listed` is set, and all of them changed at tick `held`.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/text.h"
#include "sim/kernel/sck_backend.h"

#define FLUSH_BYTES 65536u
#define FIRST_CODE 33u /* codes are made of the characters ! .. ~ */
#define CODE_BASE 94u

struct sck_trace_var {
    struct sck_vcd *vcd;
    const char *name;
    struct sck_trace_var *next;
    uint64_t value, written;
    uint32_t number;
    unsigned width;
    bool known;  /* written is in the file */
    bool listed; /* in vcd->changed */
};

struct sck_vcd {
    struct sck_sim *sim;
    struct sy_outfile *file;
    struct sy_buf text;
    struct sck_trace_var *variables;
    struct sck_trace_var **changed; /* count places; NULL until the header is written */
    uint32_t count, changed_count;
    uint64_t held;    /* tick of what is in changed */
    uint64_t stamped; /* last tick written */
    enum sy_status status;
};

static enum sy_status fail(struct sck_vcd *vcd, enum sy_status status, const char *text)
{
    if (vcd->status == SY_OK)
        vcd->status = status;
    return sck_error(vcd->sim, status, "trace: %s", text);
}

static void write_out(struct sck_vcd *vcd)
{
    if (vcd->text.failed)
        (void)fail(vcd, SY_NOMEM, "no memory for text");
    if (vcd->status == SY_OK && vcd->text.length != 0) {
        enum sy_status status = sy_outfile_write(vcd->file, vcd->text.data, vcd->text.length);
        if (status != SY_OK)
            (void)fail(vcd, status, "writing failed");
    }
    sy_buf_clear(&vcd->text);
}

/* ---- header ---- */

static size_t put_code(char code[8], uint32_t number)
{
    size_t length = 0;
    do {
        code[length++] = (char)(FIRST_CODE + number % CODE_BASE);
        number /= CODE_BASE;
    } while (number != 0);
    return length;
}

/* Order in which scopes stay together: a dot sorts before every other character. */
static int compare_names(const char *a, const char *b)
{
    for (; *a == *b && *a; a++, b++)
        ;
    if (*a == *b)
        return 0;
    unsigned left = *a == '.' ? 1u : (unsigned char)*a, right = *b == '.' ? 1u : (unsigned char)*b;
    return left < right ? -1 : 1;
}

static int by_name(const void *left, const void *right)
{
    const struct sck_trace_var *a = *(struct sck_trace_var *const *)left, *b = *(struct sck_trace_var *const *)right;
    return compare_names(a->name, b->name);
}

/* Length of the scope part ("a.b." of "a.b.c"). */
static size_t scope_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) + 1 : 0;
}

/* Leave and enter scopes on the way from one variable's scope to the next one's. */
static void change_scope(struct sy_buf *text, const char *from, const char *to)
{
    size_t from_length = scope_length(from), to_length = scope_length(to), same = 0;
    for (size_t i = 0; i < from_length && i < to_length && from[i] == to[i]; i++)
        if (from[i] == '.')
            same = i + 1;
    for (size_t i = same; i < from_length; i++)
        if (from[i] == '.')
            sy_buf_puts(text, "$upscope $end\n");
    while (same < to_length) {
        size_t part = strcspn(to + same, ".");
        sy_buf_puts(text, "$scope module ");
        sy_buf_append(text, to + same, part);
        sy_buf_puts(text, " $end\n");
        same += part + 1;
    }
}

static void put_header(struct sck_vcd *vcd, struct sck_trace_var *const *sorted)
{
    static const char *const units[] = {"fs", "ps", "ns", "us", "ms", "s"};
    uint64_t tick = vcd->sim->config.tick_fs;
    size_t unit = 0;
    char code[8];
    for (; tick >= 1000; tick /= 1000)
        unit++;
    sy_buf_puts(&vcd->text, "$version Systole $end\n");
    sy_buf_printf(&vcd->text, "$timescale %" PRIu64 " %s $end\n", tick, units[unit]);
    const char *scope = "";
    for (uint32_t i = 0; i < vcd->count; i++) {
        const char *name = sorted[i]->name;
        change_scope(&vcd->text, scope, name);
        scope = name;
        int length = (int)put_code(code, sorted[i]->number);
        sy_buf_printf(&vcd->text, "$var wire %u %.*s %s $end\n", sorted[i]->width, length, code,
                      name + scope_length(name));
    }
    change_scope(&vcd->text, scope, "");
    sy_buf_puts(&vcd->text, "$enddefinitions $end\n#0\n$dumpvars\n");
    for (uint32_t i = 0; i < vcd->count; i++) {
        int length = (int)put_code(code, sorted[i]->number);
        sy_buf_printf(&vcd->text, sorted[i]->width == 1 ? "x%.*s\n" : "bx %.*s\n", length, code);
    }
    sy_buf_puts(&vcd->text, "$end\n");
}

/* Once: the variables are final. */
static enum sy_status begin(struct sck_vcd *vcd)
{
    if (vcd->changed)
        return SY_OK;
    struct sck_trace_var **list = sy_arena_array(vcd->sim->arena, (size_t)vcd->count + 1, sizeof *list);
    if (!list)
        return fail(vcd, SY_NOMEM, "no memory for the variables");
    uint32_t count = 0;
    for (struct sck_trace_var *var = vcd->variables; var; var = var->next)
        list[count++] = var;
    qsort(list, count, sizeof *list, by_name);
    put_header(vcd, list);
    vcd->changed = list; /* from here on the place for changes */
    return SY_OK;
}

/* ---- changes ---- */

static void put_value(struct sy_buf *text, const struct sck_trace_var *var)
{
    char line[1 + 64 + 1 + 8 + 1];
    size_t length = 0;
    if (var->width == 1) {
        line[length++] = var->value ? '1' : '0';
    } else {
        unsigned bits = var->value ? 64u - (unsigned)__builtin_clzll(var->value) : 1;
        line[length++] = 'b';
        while (bits-- > 0)
            line[length++] = (var->value >> bits) & 1 ? '1' : '0';
        line[length++] = ' ';
    }
    length += put_code(line + length, var->number);
    line[length++] = '\n';
    sy_buf_append(text, line, length);
}

static void stamp(struct sck_vcd *vcd, uint64_t tick)
{
    char number[32];
    if (tick == vcd->stamped)
        return;
    vcd->stamped = tick;
    sy_buf_puts(&vcd->text, "#");
    sy_buf_puts(&vcd->text, sy_format_u64(number, tick));
    sy_buf_puts(&vcd->text, "\n");
}

static void put_changes(struct sck_vcd *vcd)
{
    for (uint32_t i = 0; i < vcd->changed_count; i++) {
        struct sck_trace_var *var = vcd->changed[i];
        var->listed = false;
        if (var->known && var->value == var->written)
            continue;
        stamp(vcd, vcd->held);
        put_value(&vcd->text, var);
        var->known = true;
        var->written = var->value;
    }
    vcd->changed_count = 0;
    if (vcd->text.length >= FLUSH_BYTES || vcd->text.failed)
        write_out(vcd);
}

enum sy_status sck_trace_u64(struct sck_trace_var *var, uint64_t value)
{
    if (!var)
        return SY_OK;
    struct sck_vcd *vcd = var->vcd;
    if (vcd->sim->vcd != vcd) /* closed */
        return SY_OK;
    if (var->width < 64 && value >> var->width != 0)
        return sck_error(vcd->sim, SY_USAGE, "trace: %" PRIu64 " does not fit the %u bits of %s", value, var->width,
                         var->name);
    enum sy_status status = begin(vcd);
    if (status != SY_OK)
        return status;
    if (vcd->held != vcd->sim->now) {
        put_changes(vcd);
        vcd->held = vcd->sim->now;
    }
    var->value = value;
    if (!var->listed) {
        var->listed = true;
        vcd->changed[vcd->changed_count++] = var;
    }
    return vcd->status;
}

/* ---- life ---- */

enum sy_status sck_trace_open(struct sck_sim *sim, const char *path, struct sy_diag *diag)
{
    if (!sim)
        return SY_USAGE;
    if (sim->vcd || sim->state != SCK_BUILDING)
        return sck_error(sim, SY_STATE, "a trace is opened once, before the first start");
    struct sck_vcd *vcd = sy_arena_alloc(sim->arena, sizeof *vcd);
    if (!vcd)
        return sck_error(sim, SY_NOMEM, "no memory for a trace");
    enum sy_status status = sy_outfile_open(path, &vcd->file, diag);
    if (status != SY_OK)
        return sck_error(sim, status, "trace: cannot open %s", path ? path : "standard output");
    vcd->sim = sim;
    sim->vcd = vcd;
    return SY_OK;
}

static bool name_ok(const char *name)
{
    if (!name || *name == '\0' || *name == '.' || name[strlen(name) - 1] == '.' || strstr(name, ".."))
        return false;
    for (; *name; name++)
        if ((unsigned char)*name <= ' ' || (unsigned char)*name > '~')
            return false;
    return true;
}

enum sy_status sck_trace_var(struct sck_sim *sim, const char *name, unsigned width, struct sck_trace_var **out)
{
    if (!sim)
        return SY_USAGE;
    struct sck_vcd *vcd = sim->vcd;
    if (!vcd || vcd->changed || sim->state != SCK_BUILDING)
        return sck_error(sim, SY_STATE, "trace: variables are declared after open, before the first change and start");
    if (!out || width == 0 || width > 64 || !name_ok(name))
        return sck_error(sim, SY_USAGE, "trace: a variable needs 1 to 64 bits and a name of printable parts, not '%s'",
                         name ? name : "");
    for (const struct sck_trace_var *other = vcd->variables; other; other = other->next)
        if (strcmp(other->name, name) == 0)
            return sck_error(sim, SY_USAGE, "trace: two variables are called %s", name);
    struct sck_trace_var *var = sy_arena_alloc(sim->arena, sizeof *var);
    const char *copy = sy_arena_strdup(sim->arena, name);
    if (!var || !copy)
        return sck_error(sim, SY_NOMEM, "trace: no memory for %s", name);
    *var = (struct sck_trace_var){
        .vcd = vcd, .name = copy, .width = width, .number = vcd->count++, .next = vcd->variables};
    vcd->variables = var;
    *out = var;
    return SY_OK;
}

void sck_vcd_abort(struct sck_sim *sim)
{
    if (!sim->vcd)
        return;
    sy_outfile_abort(sim->vcd->file);
    sy_buf_free(&sim->vcd->text);
    sim->vcd = NULL;
}

enum sy_status sck_trace_close(struct sck_sim *sim, struct sy_diag *diag)
{
    if (!sim)
        return SY_USAGE;
    struct sck_vcd *vcd = sim->vcd;
    if (!vcd)
        return SY_OK;
    if (begin(vcd) == SY_OK) {
        put_changes(vcd);
        stamp(vcd, sim->now);
        write_out(vcd);
    }
    enum sy_status status = vcd->status;
    if (status != SY_OK) {
        sck_vcd_abort(sim);
        return status;
    }
    sim->vcd = NULL;
    sy_buf_free(&vcd->text);
    status = sy_outfile_commit(vcd->file, diag);
    return status == SY_OK ? SY_OK : sck_error(sim, status, "trace: writing failed");
}
