/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions and pools: where their windows lie. */
#include <inttypes.h>
#include <string.h>

#include "sim/base/checked.h"
#include "workloads/figures.h"
#include "workloads/import/onnx.h"

#define MOST_SPATIAL (INT64_C(1) << 30)

/* A list attribute of exactly `count` numbers in [least, 2^30], or the fallback. */
static bool list(struct ox *ox, const char *name, int count, int64_t least, uint64_t fallback, uint64_t *out)
{
    int64_t numbers[8];
    int have = ox_ints(ox, name, numbers, 8);
    if (have != 0 && have != count) {
        return ox->status == SY_OK && ox_fail(ox, NULL, "attribute %s has %d numbers, expected %d", name, have, count);
    }
    for (int i = 0; i < count; i++) {
        if (have != 0 && (numbers[i] < least || numbers[i] > MOST_SPATIAL)) {
            return ox_fail(ox, NULL, "attribute %s holds %" PRId64 ", expected %" PRId64 " to %" PRId64, name,
                           numbers[i], least, MOST_SPATIAL);
        }
        out[i] = have != 0 ? (uint64_t)numbers[i] : fallback;
    }
    return true;
}

/* SAME: the output is ceil(in / stride), the padding what that needs; UPPER puts the odd one behind. */
static void same_padding(struct ox_window *w, uint32_t i, bool upper)
{
    uint64_t extent = w->dilation[i] * (w->filter[i] - 1) + 1;
    uint64_t reach = (sy_ceil_div(w->in[i], w->stride[i]) - 1) * w->stride[i] + extent;
    uint64_t total = reach > w->in[i] ? reach - w->in[i] : 0;
    w->before[i] = upper ? total / 2 : total - total / 2;
    w->behind[i] = total - w->before[i];
}

/* Padding and output size of one axis. */
static bool place_axis(struct ox *ox, struct ox_window *w, uint32_t i)
{
    bool upper = ox_string_is(ox, "auto_pad", "SAME_UPPER");
    if (w->filter[i] == 0 || w->filter[i] > (uint64_t)MOST_SPATIAL || w->in[i] == 0 ||
        w->in[i] > (uint64_t)MOST_SPATIAL) {
        return ox_fail(ox, NULL, "dimension %" PRIu32 ": a filter of %" PRIu64 " over %" PRIu64, i, w->filter[i],
                       w->in[i]);
    }
    if (upper || ox_string_is(ox, "auto_pad", "SAME_LOWER")) {
        same_padding(w, i, upper);
    } else if (ox_string_is(ox, "auto_pad", "VALID")) {
        w->before[i] = w->behind[i] = 0;
    }
    w->out[i] = sy_window_count(w->in[i], w->before[i], w->behind[i], w->filter[i], w->stride[i], w->dilation[i],
                                ox_int(ox, "ceil_mode", 0) != 0);
    return w->out[i] != 0 || ox_fail(ox, NULL,
                                     "dimension %" PRIu32 ": a filter of %" PRIu64 " does not fit the input of %" PRIu64
                                     " with its padding",
                                     i, w->filter[i], w->in[i]);
}

bool ox_read_window(struct ox *ox, const struct ox_shape *x, const uint64_t *filter, struct ox_window *w)
{
    uint64_t pads[6] = {0};
    if (x->rank < 3 || x->rank > 5) {
        return ox_fail(ox, NULL, "an input with %" PRIu32 " dimensions, expected batch, channels and 1 to 3 more",
                       x->rank);
    }
    *w = (struct ox_window){.dims = x->rank - 2};
    int dims = (int)w->dims;
    if (!list(ox, "strides", dims, 1, 1, w->stride) || !list(ox, "dilations", dims, 1, 1, w->dilation) ||
        !list(ox, "pads", 2 * dims, 0, 0, pads)) {
        return false;
    }
    if (filter == NULL &&
        (ox_attribute(ox, "kernel_shape") == NULL || !list(ox, "kernel_shape", dims, 1, 1, w->filter))) {
        return ox->status == SY_OK && ox_fail(ox, NULL, "attribute kernel_shape is missing");
    }
    for (uint32_t i = 0; i < w->dims; i++) {
        w->in[i] = x->dim[i + 2];
        w->filter[i] = filter != NULL ? filter[i] : w->filter[i];
        w->before[i] = pads[i];
        w->behind[i] = pads[i + w->dims];
        if (!place_axis(ox, w, i)) {
            return false;
        }
    }
    return true;
}

struct ox_shape ox_window_shape(const struct ox_window *w, uint64_t batch, uint64_t channels)
{
    struct ox_shape shape = {.rank = w->dims + 2, .dim = {batch, channels}};
    memcpy(shape.dim + 2, w->out, w->dims * sizeof w->out[0]);
    return shape;
}
