/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of `systole cost` as text: a table for people, CSV and JSON for programs. Nothing is computed here. */
#ifndef SY_REPORT_COST_H
#define SY_REPORT_COST_H

#include "sim/stats/cost_case.h"

struct sy_cost_report {
    const char *version, *model_revision;
    const struct sy_cost_case *cost;
    const struct sy_cost_links *links;
    enum sy_cost_output headline;
    uint32_t swings, delays;
    const struct sy_cost_swing *swing; /* of the headline */
    const struct sy_cost_delay *delay;
    const struct sy_cost_risk *risk;       /* NULL: not asked for */
    const struct sy_cost_class_view *view; /* one a class of the mix; NULL: none */
    bool color;
    uint32_t width; /* of the terminal, 0 = no limit */
};

void sy_cost_put_table(const struct sy_cost_report *report, struct sy_buf *out);
void sy_cost_put_csv(const struct sy_cost_report *report, struct sy_buf *out);
void sy_cost_put_json(const struct sy_cost_report *report, struct sy_buf *out);

/* For people, by the unit of the figure: "$1.23 M", "20.0 %", "never". */
char *sy_cost_show(char out[48], double value, const char *unit);
/* "$12.3 k"; below a dollar four digits. */
char *sy_format_usd(char out[48], double value);

#endif
