/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/base/checked.h"
#include "workloads/lower.h"

/* Smallest and largest value of one coordinate, both included. */
struct range {
    uint64_t low, high;
};

/* Elements of [low, high] that lie in [0, size), coordinates shifted left by `before` (the padding). */
static uint64_t clipped(struct range range, uint64_t before, uint64_t size)
{
    if (range.high < before) {
        return 0;
    }
    uint64_t low = range.low > before ? range.low - before : 0;
    uint64_t high = range.high - before;
    if (low >= size) {
        return 0;
    }
    return sy_min(high, size - 1) - low + 1;
}

/* Range of a coordinate in the padded input: every output position with every tap. */
static struct range reach(struct range position, uint64_t stride, struct range tap, uint64_t dilation)
{
    return (struct range){position.low * stride + tap.low * dilation, position.high * stride + tap.high * dilation};
}

/* first and last are flat indices over (slow, fast) of `size` fast positions: the fast one covers everything as soon
 * as the slow one changes. */
static struct range fast_range(uint64_t first, uint64_t last, uint64_t size)
{
    if (first / size != last / size) {
        return (struct range){0, size - 1};
    }
    return (struct range){first % size, last % size};
}

struct taps {
    struct range fy, fx;
    uint64_t channels;
};

/* Box of the output pixels [first, last] of one image. */
static uint64_t image_elements(const struct sy_window *w, uint64_t first, uint64_t last, const struct taps *taps)
{
    struct range oy = {first / w->ow, last / w->ow};
    struct range ox = fast_range(first, last, w->ow);
    uint64_t rows = clipped(reach(oy, w->sh, taps->fy, w->dh), w->pt, w->h);
    uint64_t cols = clipped(reach(ox, w->sw, taps->fx, w->dw), w->pl, w->w);
    return rows * cols * taps->channels;
}

uint64_t sy_window_channels(const struct sy_matrix_item *item)
{
    uint64_t channels = item->window.c;
    if (item->k < item->dense_k)
        (void)sy_mul_div_up(item->window.c, item->k, item->dense_k, &channels);
    return channels;
}

uint64_t sy_window_elements(const struct sy_window *window, uint64_t m0, uint64_t tm, uint64_t k0, uint64_t tk)
{
    if (tm == 0 || tk == 0) {
        return 0;
    }
    if (!window->is_conv) {
        return tm * tk;
    }
    uint64_t k1 = k0 + tk - 1;
    struct range channel = fast_range(k0, k1, window->c);
    uint64_t tap0 = k0 / window->c;
    uint64_t tap1 = k1 / window->c;
    struct taps taps = {.fy = {tap0 / window->fw, tap1 / window->fw},
                        .fx = fast_range(tap0, tap1, window->fw),
                        .channels = channel.high - channel.low + 1};

    uint64_t pixels = window->oh * window->ow;
    uint64_t m1 = m0 + tm - 1;
    uint64_t image0 = m0 / pixels;
    uint64_t image1 = m1 / pixels;
    if (image0 == image1) {
        return image_elements(window, m0 % pixels, m1 % pixels, &taps);
    }
    uint64_t sum = image_elements(window, m0 % pixels, pixels - 1, &taps);
    sum += image_elements(window, 0, m1 % pixels, &taps);
    if (image1 - image0 > 1) {
        sum += (image1 - image0 - 1) * image_elements(window, 0, pixels - 1, &taps);
    }
    return sum;
}
