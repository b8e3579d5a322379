/* SPDX-License-Identifier: Apache-2.0 */
/* A check as table, JSON and JUnit XML; see check.h. */
#include "sim/explore/check.h"

#include <string.h>

#include "sim/base/grid.h"
#include "sim/base/json.h"

const char *const sy_verdict_names[SY_VERDICT_COUNT] = {"same", "within tolerance", "moved", "gone"};

static bool is_bad(const struct sy_check_row *row)
{
    return row->verdict == SY_VERDICT_MOVED || row->verdict == SY_VERDICT_GONE;
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

/* "+0.52 %" */
static char *put_change(char out[48], const struct sy_check_row *row)
{
    char number[32];
    if (row->verdict == SY_VERDICT_GONE || row->verdict == SY_VERDICT_SAME)
        return strcpy(out, row->verdict == SY_VERDICT_SAME ? "" : "-");
    strcpy(out, row->change_percent > 0 ? "+" : "");
    return strcat(strcat(out, sy_format_fixed(number, row->change_percent, 3)), " %");
}

/* ---- table ---- */

static void put_summary(const struct sy_check_baseline *one, struct sy_buf *out)
{
    if (one->status != SYSTOLE_OK) {
        sy_buf_printf(out, "%s: failed: %s\n", one->path, one->message);
        return;
    }
    sy_buf_printf(out, "%s: %s on %s: ", one->path, one->workload, one->chip);
    if (one->moved)
        sy_buf_printf(out, "%llu of %llu figures moved\n", (unsigned long long)one->moved,
                      (unsigned long long)one->rows);
    else
        sy_buf_printf(out, "ok, %llu figures\n", (unsigned long long)one->rows);
    if (one->model_changed)
        sy_buf_printf(out, "  model changed: the baseline is of model %s, this is %s\n", or_dash(one->revision_was),
                      systole_model_revision());
    if (one->inputs_changed)
        sy_buf_printf(out, "  inputs changed since the baseline: %s\n", one->inputs_changed);
}

void sy_check_put_table(const struct sy_check *check, const struct systole_format_options *format, struct sy_buf *out)
{
    for (uint32_t b = 0; b < check->baselines; b++) {
        const struct sy_check_baseline *one = &check->baseline[b];
        struct sy_grid grid;
        bool any = false;
        put_summary(one, out);
        sy_grid_begin(&grid, "figure~|baseline>|now>|change>|allowed>|", format->width, "  ");
        for (uint64_t i = 0; i < one->rows; i++) {
            const struct sy_check_row *row = &one->row[i];
            char change[48], allowed[32];
            if (!is_bad(row) && format->details < 1)
                continue;
            any = true;
            sy_grid_cell(&grid, row->metric);
            sy_grid_cell(&grid, row->was);
            sy_grid_cell(&grid, or_dash(row->is));
            sy_grid_cell(&grid, put_change(change, row));
            sy_grid_cellf(&grid, "%s %%", sy_format_double(allowed, row->tolerance_percent));
            sy_grid_cell(&grid, sy_verdict_names[row->verdict]);
        }
        if (!any) {
            sy_buf_free(&grid.cells);
            continue;
        }
        sy_grid_put(&grid, out);
    }
}

/* ---- JSON ---- */

static void put_baseline(const struct sy_check_baseline *one, struct sy_json_writer *json)
{
    sy_json_open_object(json, NULL);
    sy_json_put_string(json, "path", one->path);
    if (one->chip)
        sy_json_put_string(json, "chip", one->chip);
    if (one->workload)
        sy_json_put_string(json, "workload", one->workload);
    if (one->message)
        sy_json_put_string(json, "error", one->message);
    if (one->revision_was)
        sy_json_put_string(json, "baseline_model_revision", one->revision_was);
    sy_json_put_bool(json, "model_changed", one->model_changed);
    if (one->inputs_changed)
        sy_json_put_string(json, "inputs_changed", one->inputs_changed);
    sy_json_put_u64(json, "moved", one->moved);
    sy_json_open_array(json, "figures");
    for (uint64_t i = 0; i < one->rows; i++) {
        const struct sy_check_row *row = &one->row[i];
        sy_json_open_object(json, NULL);
        sy_json_put_string(json, "figure", row->metric);
        sy_json_put_string(json, "baseline", row->was);
        sy_json_put_string(json, "now", row->is);
        sy_json_put_double(json, "change_percent", row->change_percent);
        sy_json_put_double(json, "tolerance_percent", row->tolerance_percent);
        sy_json_put_string(json, "verdict", sy_verdict_names[row->verdict]);
        sy_json_close_object(json);
    }
    sy_json_close_array(json);
    sy_json_close_object(json);
}

void sy_check_put_json(const struct sy_check *check, struct sy_buf *out)
{
    struct sy_json_writer json;
    sy_json_begin(&json, out);
    sy_json_open_object(&json, NULL);
    sy_json_put_string(&json, "schema", "systole.check/1");
    sy_json_open_object(&json, "tool");
    sy_json_put_string(&json, "version", systole_version());
    sy_json_put_string(&json, "model_revision", systole_model_revision());
    sy_json_close_object(&json);
    sy_json_open_array(&json, "baselines");
    for (uint32_t b = 0; b < check->baselines; b++)
        put_baseline(&check->baseline[b], &json);
    sy_json_close_array(&json);
    sy_json_close_object(&json);
    sy_json_end(&json);
}

/* ---- JUnit ---- */

/* Text for an attribute. What XML 1.0 cannot hold becomes a blank. */
static void put_xml(struct sy_buf *out, const char *text)
{
    static const struct {
        char from;
        const char *to;
    } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
    for (; *text; text++) {
        const char *to = NULL;
        for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
            to = *text == escapes[i].from ? escapes[i].to : to;
        if (to)
            sy_buf_puts(out, to);
        else
            sy_buf_append(out, (unsigned char)*text < 0x20 ? " " : text, 1);
    }
}

static void put_attribute(struct sy_buf *out, const char *name, const char *value)
{
    sy_buf_printf(out, " %s=\"", name);
    put_xml(out, value);
    sy_buf_puts(out, "\"");
}

static void put_case(const struct sy_check_baseline *one, const struct sy_check_row *row, struct sy_buf *out)
{
    char change[48];
    sy_buf_puts(out, "    <testcase");
    put_attribute(out, "classname", one->path);
    put_attribute(out, "name", row->metric);
    if (!is_bad(row)) {
        sy_buf_puts(out, "/>\n");
        return;
    }
    sy_buf_puts(out, ">\n      <failure");
    put_attribute(out, "type", one->model_changed ? "model changed" : sy_verdict_names[row->verdict]);
    sy_buf_puts(out, " message=\"");
    put_xml(out, row->metric);
    sy_buf_puts(out, ": ");
    put_xml(out, row->was);
    sy_buf_puts(out, " -&gt; ");
    put_xml(out, or_dash(row->is));
    sy_buf_puts(out, ", ");
    put_xml(out, put_change(change, row));
    sy_buf_puts(out, "\"/>\n    </testcase>\n");
}

void sy_check_put_junit(const struct sy_check *check, struct sy_buf *out)
{
    sy_buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"systole check\">\n");
    for (uint32_t b = 0; b < check->baselines; b++) {
        const struct sy_check_baseline *one = &check->baseline[b];
        bool failed = one->status != SYSTOLE_OK;
        sy_buf_puts(out, "  <testsuite");
        put_attribute(out, "name", one->path);
        sy_buf_printf(out, " tests=\"%llu\" failures=\"%llu\" errors=\"%d\">\n",
                      (unsigned long long)(failed ? 1 : one->rows), (unsigned long long)one->moved, failed);
        if (failed) {
            sy_buf_puts(out, "    <testcase");
            put_attribute(out, "classname", one->path);
            sy_buf_puts(out, " name=\"run\">\n      <error");
            put_attribute(out, "message", or_dash(one->message));
            sy_buf_puts(out, "/>\n    </testcase>\n");
        }
        for (uint64_t i = 0; !failed && i < one->rows; i++)
            put_case(one, &one->row[i], out);
        sy_buf_puts(out, "  </testsuite>\n");
    }
    sy_buf_puts(out, "</testsuites>\n");
}
