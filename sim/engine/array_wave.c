/* SPDX-License-Identifier: Apache-2.0 */
/* See array_wave.h. */
#include "sim/engine/array_wave.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/checked.h"
#include "sim/base/text.h"

enum { COMMAND, CORE_CYCLE, PE_VARIABLES, VALID = 0, OPERAND, STATIONARY, SUM_VALID, SUM, OF_A_PE, FLUSH = 1 << 16 };

struct sy_array_wave {
    struct sy_outfile *file;
    struct sy_buf text;
    uint64_t rows, cols, periods, time;
    bool is_float, stamped;
    enum sy_status status;
    uint64_t *written; /* last value of each variable */
    bool *known;
};

/* Codes are texts of the characters ! .. ~, least significant first. */
static void put_code(struct sy_buf *text, uint64_t number)
{
    do {
        char c = (char)(33 + number % 94);
        sy_buf_append(text, &c, 1);
        number /= 94;
    } while (number != 0);
    sy_buf_puts(text, "\n");
}

static void put_variable(struct sy_buf *text, unsigned bits, const char *name, uint64_t number)
{
    struct sy_buf code = {0};
    put_code(&code, number);
    sy_buf_printf(text, "$var wire %u %.*s %s $end\n", bits, code.data ? (int)code.length - 1 : 0,
                  code.data ? code.data : "", name);
    text->failed |= code.failed;
    sy_buf_free(&code);
}

static void put_header(struct sy_array_wave *wave)
{
    static const char *const names[OF_A_PE] = {"operand_valid", "operand", "stationary", "sum_valid", "sum"};
    struct sy_buf *text = &wave->text;
    sy_buf_puts(text, "$timescale 1ns $end\n$scope module array $end\n");
    put_variable(text, 64, "command", COMMAND);
    put_variable(text, 64, "core_cycle", CORE_CYCLE);
    for (uint64_t pe = 0; pe < wave->rows * wave->cols; pe++) {
        sy_buf_printf(text, "$scope module pe_%llu_%llu $end\n", (unsigned long long)(pe / wave->cols),
                      (unsigned long long)(pe % wave->cols));
        for (unsigned i = 0; i < OF_A_PE; i++)
            put_variable(text, i == VALID || i == SUM_VALID ? 1 : 64, names[i], PE_VARIABLES + pe * OF_A_PE + i);
        sy_buf_puts(text, "$upscope $end\n");
    }
    sy_buf_puts(text, "$upscope $end\n$enddefinitions $end\n");
}

enum sy_status sy_array_wave_open(const char *path, uint64_t rows, uint64_t cols, struct sy_array_wave **out,
                                  struct sy_diag *diag)
{
    struct sy_array_wave *wave = calloc(1, sizeof *wave);
    if (!wave)
        return SY_NOMEM;
    wave->cols = sy_min(cols, SY_WAVE_PES);
    wave->rows = sy_max(sy_min(rows, SY_WAVE_PES / wave->cols), 1);
    uint64_t variables = PE_VARIABLES + wave->rows * wave->cols * OF_A_PE;
    wave->written = calloc(variables, sizeof *wave->written);
    wave->known = calloc(variables, sizeof *wave->known);
    enum sy_status status = wave->written && wave->known ? sy_outfile_open(path, &wave->file, diag) : SY_NOMEM;
    if (status != SY_OK) {
        sy_array_wave_abandon(wave);
        return status;
    }
    put_header(wave);
    *out = wave;
    return SY_OK;
}

bool sy_array_wave_wants(const struct sy_array_wave *wave)
{
    return wave && wave->periods < SY_WAVE_PERIODS;
}

static void put_value(struct sy_array_wave *wave, uint64_t variable, unsigned bits, uint64_t value)
{
    struct sy_buf *text = &wave->text;
    if (wave->known[variable] && wave->written[variable] == value)
        return;
    wave->known[variable] = true;
    wave->written[variable] = value;
    if (!wave->stamped)
        sy_buf_printf(text, "#%llu\n", (unsigned long long)wave->time);
    wave->stamped = true;
    char digits[67];
    unsigned length = 0, high = bits;
    while (high > 1 && !(value >> (high - 1) & 1))
        high--;
    if (bits > 1)
        digits[length++] = 'b';
    for (; high-- > 0;)
        digits[length++] = value >> high & 1 ? '1' : '0';
    if (bits > 1)
        digits[length++] = ' ';
    sy_buf_append(text, digits, length);
    put_code(text, variable);
}

static void flush(struct sy_array_wave *wave, size_t least)
{
    if (wave->text.length < least)
        return;
    if (wave->status == SY_OK)
        wave->status = wave->text.failed ? SY_NOMEM : sy_outfile_write(wave->file, wave->text.data, wave->text.length);
    sy_buf_clear(&wave->text);
}

void sy_array_wave_tile(struct sy_array_wave *wave, uint64_t command, uint64_t core_cycle, enum sy_dtype format)
{
    wave->stamped = false;
    wave->is_float = sy_dtypes[format].is_float;
    put_value(wave, COMMAND, 64, command);
    put_value(wave, CORE_CYCLE, 64, core_cycle);
}

static uint64_t bits_of(const struct sy_array_wave *wave, union sy_number number)
{
    uint32_t bits;
    if (!wave->is_float)
        return (uint64_t)number.integer;
    memcpy(&bits, &number.real, sizeof bits);
    return bits;
}

void sy_array_wave_observe(void *context, uint64_t period, const struct sy_cycle_view *view)
{
    struct sy_array_wave *wave = context;
    (void)period;
    if (!sy_array_wave_wants(wave))
        return;
    for (uint64_t pe = 0; pe < wave->rows * wave->cols; pe++) {
        struct sy_cycle_pe seen = sy_cycle_view_pe(view, pe / wave->cols, pe % wave->cols);
        uint64_t first = PE_VARIABLES + pe * OF_A_PE;
        put_value(wave, first + VALID, 1, seen.operand_valid);
        put_value(wave, first + OPERAND, 64, seen.operand_valid ? bits_of(wave, seen.operand) : 0);
        put_value(wave, first + STATIONARY, 64, bits_of(wave, seen.stationary));
        put_value(wave, first + SUM_VALID, 1, seen.sum_valid);
        put_value(wave, first + SUM, 64, seen.sum_valid ? bits_of(wave, seen.sum) : 0);
    }
    wave->periods++;
    wave->time++;
    wave->stamped = false;
    flush(wave, FLUSH);
}

enum sy_status sy_array_wave_commit(struct sy_array_wave *wave, struct sy_diag *diag)
{
    if (!wave)
        return SY_OK;
    sy_buf_printf(&wave->text, "#%llu\n", (unsigned long long)wave->time);
    flush(wave, 1);
    enum sy_status status = wave->status;
    if (status == SY_OK) {
        status = sy_outfile_commit(wave->file, diag);
        wave->file = NULL;
    }
    sy_array_wave_abandon(wave);
    return status;
}

void sy_array_wave_abandon(struct sy_array_wave *wave)
{
    if (!wave)
        return;
    if (wave->file)
        sy_outfile_abort(wave->file);
    sy_buf_free(&wave->text);
    free(wave->written);
    free(wave->known);
    free(wave);
}
