/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE-Sim parity: the tool's report files, byte for byte. Numbers are
 * printed as Python prints them: integers plain, reals with the fewest digits
 * that read back as the same double. Cycle stamps are reals in the tool.
 */
#include "sim/engine/scalesim_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const sy_scalesim_report_files[SY_SCALESIM_REPORTS] = {"COMPUTE_REPORT.csv", "BANDWIDTH_REPORT.csv",
                                                                   "DETAILED_ACCESS_REPORT.csv", "SPARSE_REPORT.csv"};

/* ---- numbers as Python writes them ---- */

/* Decimal digits of a positive value, fewest that read back, without the point; returns the exponent of the first. */
static int shortest_digits(double value, char digits[20])
{
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, value);
        /* The decimal separator depends on the locale: strtod and printf agree on it, and only digits are kept. */
        if (precision == 16 || strtod(text, NULL) == value)
            break;
    }
    const char *exponent = strchr(text, 'e');
    size_t used = 0;
    for (const char *c = text; c < exponent && used < 19; c++)
        if (*c >= '0' && *c <= '9')
            digits[used++] = *c;
    digits[used] = '\0';
    return atoi(exponent + 1);
}

static void put_real(struct sy_buf *out, double value)
{
    char digits[20];
    if (value == 0) {
        sy_buf_puts(out, "0.0");
        return;
    }
    if (value < 0)
        sy_buf_puts(out, "-");
    int exponent = shortest_digits(value < 0 ? -value : value, digits);
    int count = (int)strlen(digits);
    if (exponent < -4 || exponent >= 16) {
        sy_buf_printf(out, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1, exponent < 0 ? '-' : '+',
                      abs(exponent));
    } else if (exponent < 0) {
        sy_buf_puts(out, "0.");
        for (int i = -1; i > exponent; i--)
            sy_buf_puts(out, "0");
        sy_buf_puts(out, digits);
    } else if (count <= exponent + 1) {
        sy_buf_puts(out, digits);
        for (int i = count; i <= exponent; i++)
            sy_buf_puts(out, "0");
        sy_buf_puts(out, ".0");
    } else {
        sy_buf_append(out, digits, (size_t)exponent + 1);
        sy_buf_printf(out, ".%s", digits + exponent + 1);
    }
}

static void put_integer(struct sy_buf *out, uint64_t value)
{
    sy_buf_printf(out, "%" PRIu64, value);
}

static void comma(struct sy_buf *out)
{
    sy_buf_puts(out, ", ");
}

static void put_reals(struct sy_buf *out, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        comma(out);
        put_real(out, values[i]);
    }
}

/* ---- rows: everything after the layer number, with a leading comma ---- */

static void compute_row(const struct sy_scalesim_config *config, const struct sy_scalesim_result *r, struct sy_buf *out)
{
    const double percent[] = {r->overall_utilization, r->mapping_efficiency, r->compute_utilization};
    if (config->version == SY_SCALESIM_V3)
        sy_buf_printf(out, ", %" PRIu64, r->cycles_with_prefetch);
    sy_buf_printf(out, ", %" PRIu64 ", %" PRIu64, r->total_cycles, r->stall_cycles);
    put_reals(out, percent, 3);
}

static void bandwidth_row(const struct sy_scalesim_config *config, const struct sy_scalesim_result *r,
                          struct sy_buf *out)
{
    const struct sy_scalesim_traffic *t = r->traffic;
    const double reads[] = {t[SY_SCALESIM_IFMAP].sram_bandwidth, t[SY_SCALESIM_FILTER].sram_bandwidth};
    const double rest[] = {t[SY_SCALESIM_OFMAP].sram_bandwidth, t[SY_SCALESIM_IFMAP].dram_bandwidth,
                           t[SY_SCALESIM_FILTER].dram_bandwidth, t[SY_SCALESIM_OFMAP].dram_bandwidth};
    put_reals(out, reads, 2);
    if (config->sparse)
        put_reals(out, &r->metadata_bandwidth, 1);
    put_reals(out, rest, 4);
}

static void access_row(const struct sy_scalesim_config *config, const struct sy_scalesim_result *r, struct sy_buf *out)
{
    (void)config;
    for (int i = 0; i < SY_SCALESIM_OPERANDS; i++) {
        const double stamps[] = {(double)r->traffic[i].sram_start, (double)r->traffic[i].sram_stop};
        put_reals(out, stamps, 2);
        comma(out);
        if (i == SY_SCALESIM_IFMAP && r->ifmap_sram_reads_real)
            put_real(out, r->ifmap_sram_reads);
        else
            put_integer(out, r->traffic[i].sram_words);
    }
    for (int i = 0; i < SY_SCALESIM_OPERANDS; i++) {
        const double stamps[] = {(double)r->traffic[i].dram_start, (double)r->traffic[i].dram_stop};
        put_reals(out, stamps, 2);
        comma(out);
        put_integer(out, r->traffic[i].dram_words);
    }
}

static void sparse_row(const struct sy_scalesim_config *config, const struct sy_scalesim_result *r, struct sy_buf *out)
{
    sy_buf_printf(out, ", %s, %" PRIu64, sy_scalesim_storage_name(config->storage), (uint64_t)r->original_words);
    const double words[] = {r->new_words, r->metadata_words};
    for (int i = 0; i < 2; i++) {
        comma(out);
        if (config->storage == SY_SCALESIM_ELLPACK_BLOCK)
            put_real(out, words[i]);
        else
            put_integer(out, (uint64_t)words[i]);
    }
    put_reals(out, &r->metadata_bandwidth, 1);
}

/* ---- files ---- */

static void put_header(enum sy_scalesim_report report, const struct sy_scalesim_config *config, struct sy_buf *out)
{
    static const char *const names[] = {"IFMAP", "Filter", "OFMAP"};
    sy_buf_puts(out, "LayerID, ");
    switch (report) {
    case SY_SCALESIM_COMPUTE_REPORT:
        if (config->version == SY_SCALESIM_V3)
            sy_buf_puts(out, "Total Cycles (incl. prefetch), ");
        sy_buf_puts(out, "Total Cycles, Stall Cycles, Overall Util %, Mapping Efficiency %, Compute Util %,\n");
        break;
    case SY_SCALESIM_BANDWIDTH_REPORT:
        sy_buf_puts(out, "Avg IFMAP SRAM BW, Avg FILTER SRAM BW, ");
        if (config->sparse)
            sy_buf_puts(out, "Avg FILTER Metadata SRAM BW, ");
        sy_buf_puts(out, "Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, Avg FILTER DRAM BW, Avg OFMAP DRAM BW,\n");
        break;
    case SY_SCALESIM_DETAILED_ACCESS_REPORT:
        for (int i = 0; i < 2 * SY_SCALESIM_OPERANDS; i++) {
            const char *memory = i < SY_SCALESIM_OPERANDS ? "SRAM" : "DRAM", *name = names[i % SY_SCALESIM_OPERANDS];
            sy_buf_printf(out, "%s %s Start Cycle, %s %s Stop Cycle, %s %s %s,%s", memory, name, memory, name, memory,
                          name, i % SY_SCALESIM_OPERANDS == SY_SCALESIM_OFMAP ? "Writes" : "Reads",
                          i + 1 < 2 * SY_SCALESIM_OPERANDS ? " " : "\n");
        }
        break;
    case SY_SCALESIM_SPARSE_REPORT:
    case SY_SCALESIM_REPORTS:
    default:
        sy_buf_puts(out, "Sparsity Representation, Original Filter Storage, New Storage (Filter+Metadata), "
                         "Filter Metadata Storage, Avg FILTER Metadata SRAM BW, \n");
        break;
    }
}

typedef void (*put_row)(const struct sy_scalesim_config *, const struct sy_scalesim_result *, struct sy_buf *);

void sy_scalesim_format_report(enum sy_scalesim_report report, const struct sy_scalesim_config *config,
                               const struct sy_scalesim_result *results, size_t count, struct sy_buf *out)
{
    static const put_row rows[SY_SCALESIM_REPORTS] = {compute_row, bandwidth_row, access_row, sparse_row};
    put_header(report, config, out);
    for (size_t i = 0; i < count; i++) {
        put_integer(out, i);
        rows[report](config, &results[i], out);
        sy_buf_puts(out, ",\n");
    }
}

static enum sy_status write_report(const char *path, const struct sy_buf *text, struct sy_diag *diag)
{
    struct sy_outfile *file;
    enum sy_status status = sy_outfile_open(path, &file, diag);
    if (status)
        return status;
    status = sy_outfile_write(file, text->data, text->length);
    if (status) {
        sy_outfile_abort(file);
        return status;
    }
    return sy_outfile_commit(file, diag);
}

enum sy_status sy_ss_make_directory(const char *path, struct sy_diag *diag)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return SY_OK;
    (void)sy_error(diag, ((struct sy_where){.file = path}), "its parent directory must exist",
                   "cannot make the report directory: %s", strerror(errno));
    return SY_IO;
}

enum sy_status sy_scalesim_write_reports(const char *directory, const struct sy_scalesim_config *config,
                                         const struct sy_scalesim_result *results, size_t count, struct sy_diag *diag)
{
    enum sy_status status = sy_ss_make_directory(directory, diag);
    for (int i = 0; i < SY_SCALESIM_REPORTS && !status; i++) {
        struct sy_buf text = {0}, path = {0};
        if (i == SY_SCALESIM_SPARSE_REPORT && !config->sparse)
            break;
        sy_scalesim_format_report((enum sy_scalesim_report)i, config, results, count, &text);
        sy_buf_printf(&path, "%s/%s", directory, sy_scalesim_report_files[i]);
        status = text.failed || path.failed ? SY_NOMEM : write_report(path.data, &text, diag);
        sy_buf_free(&text);
        sy_buf_free(&path);
    }
    return status;
}
