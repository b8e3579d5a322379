/* SPDX-License-Identifier: Apache-2.0 */
/* Command records (traces/command.h). */
#include "traces/scan.h"

static bool parse_command_value(struct sy_scan *scan, const struct sy_key *key, struct sy_command *command)
{
    char *to = (char *)command + key->offset;
    uint64_t number = 0;
    if (key->kind == SY_VALUE_DTYPE8) {
        enum sy_dtype dtype = SY_INT8;
        bool ok = sy_scan_dtype(scan, &dtype);
        *(uint8_t *)to = (uint8_t)dtype;
        return ok;
    }
    bool ok = sy_scan_ranged(scan, key, &number);
    if (key->kind == SY_VALUE_U8) {
        *(uint8_t *)to = (uint8_t)number;
    } else {
        memcpy(to, &number, sizeof number);
    }
    return ok;
}

static bool parse_stall(struct sy_scan *scan, uint8_t *stall)
{
    uint32_t index = sy_scan_word(scan, &scan->syntax->stalls);
    *stall = (uint8_t)index;
    return index != SY_NO_WORD || sy_scan_unknown_word(scan, "a stall cause", &scan->syntax->stalls);
}

static bool parse_dependency(struct sy_scan *scan, struct sy_command *command)
{
    if (command->dependencies == SY_MAX_DEPS) {
        return SY_SCAN_FAIL(scan, scan->p, "put a wait between them", "more than %d dependencies", SY_MAX_DEPS);
    }
    struct sy_dependency *dependency = &command->dependency[command->dependencies++];
    const char *at = ++scan->p;
    uint64_t back = 0;
    if (!sy_scan_u64(scan, &back)) {
        return false;
    }
    if (back == 0 || back > scan->command_id) {
        return SY_SCAN_FAIL(scan, at, NULL, "the dependency reaches back %llu commands; %llu come before this one",
                            (unsigned long long)back, (unsigned long long)scan->command_id);
    }
    dependency->command = scan->command_id - back;
    dependency->point = SY_POINT_DONE;
    dependency->stall = SY_STALL_DEPENDENCY;
    if (*scan->p == 's' || *scan->p == 'f') {
        dependency->point = *scan->p++ == 's' ? SY_POINT_STREAMED : SY_POINT_FIRST;
    }
    if (*scan->p == '.') {
        scan->p++;
        return parse_stall(scan, &dependency->stall);
    }
    return true;
}

static bool parse_operand(struct sy_scan *scan, struct sy_command *command)
{
    if (*scan->p < 'A' || *scan->p > 'C') {
        return SY_SCAN_FAIL(scan, scan->p, NULL, "'%s' is not an operand; expected A, B or C",
                            sy_excerpt(scan, scan->p).text);
    }
    command->operand = (uint8_t)(*scan->p++ - 'A');
    return sy_scan_value_ends(scan);
}

/* Defaults that follow other keys, and sizes that must fit. */
static bool finish_move(struct sy_scan *scan, struct sy_command *command, bool has_parent, bool has_pitch)
{
    if (!has_parent && command->level == UINT8_MAX) {
        return SY_SCAN_FAIL(scan, scan->end, NULL, "level %d has no level outside it", UINT8_MAX);
    }
    if (!has_parent) {
        command->u.move.parent = (uint8_t)(command->level + 1);
    }
    if (!has_pitch) {
        command->u.move.pitch_bytes = command->u.move.row_bytes;
    }
    uint64_t bytes, span;
    if (!sy_mul(command->u.move.rows, command->u.move.row_bytes, &bytes) ||
        !sy_mul(command->u.move.rows - 1, command->u.move.pitch_bytes, &span) ||
        !sy_add(span, command->u.move.row_bytes, &span) || !sy_add(span, command->u.move.address, &span)) {
        return SY_SCAN_FAIL(scan, scan->start, NULL, "the bytes moved do not fit 64-bit addresses");
    }
    if (!sy_move_scatters(command)) {
        return SY_SCAN_FAIL(scan, scan->start, NULL,
                            "rows are scattered over fewer bytes than one pitch, or beyond 64-bit addresses");
    }
    return true;
}

enum sy_status sy_parse_command(struct sy_scan *scan, const struct sy_record_syntax *record, struct sy_command *command)
{
    *command = scan->syntax->command[record->index];
    bool moves = command->kind == SY_CMD_LOAD || command->kind == SY_CMD_STORE;
    if (moves && !parse_operand(scan, command)) {
        return SY_INPUT;
    }
    uint64_t seen = 0;
    while (!sy_scan_at_end(scan)) {
        const char *at = scan->p;
        bool ok;
        if (*at == '<') {
            ok = parse_dependency(scan, command);
        } else {
            const struct sy_key *key = sy_scan_key(scan, record);
            ok = key != NULL && sy_scan_mark_seen(scan, at, record, key, &seen) &&
                 parse_command_value(scan, key, command);
        }
        if (!ok || !sy_scan_value_ends(scan)) {
            return SY_INPUT;
        }
    }
    if ((record->required & ~seen) != 0 && !sy_scan_has_required(scan, record, seen)) {
        return SY_INPUT;
    }
    /* Bits 1 and 4: parent and pitch in the key table. */
    return !moves || finish_move(scan, command, (seen & 2) != 0, (seen & 16) != 0) ? SY_OK : SY_INPUT;
}
