/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a result's totals: name, unit, meaning, and where they come from. */
#include "sim/report/report_format.h"
#include "sim/stats/area.h"

#include <string.h>

#define WHOLE_FIGURE(member)                                                                                           \
    static bool get_##member(const struct sy_result *result, double *value, uint64_t *whole)                           \
    {                                                                                                                  \
        *whole = result->member;                                                                                       \
        *value = (double)result->member;                                                                               \
        return true;                                                                                                   \
    }
#define REAL_FIGURE(member, condition)                                                                                 \
    static bool get_##member(const struct sy_result *result, double *value, uint64_t *whole)                           \
    {                                                                                                                  \
        *whole = 0;                                                                                                    \
        *value = result->member;                                                                                       \
        return condition;                                                                                              \
    }

WHOLE_FIGURE(cycles)
REAL_FIGURE(seconds, true)
WHOLE_FIGURE(macs)
REAL_FIGURE(utilization, true)
REAL_FIGURE(active, true)
REAL_FIGURE(streaming, result->work.beats > 0)
REAL_FIGURE(mapping, result->work.beats > 0)
REAL_FIGURE(padding, result->work.beats > 0)
REAL_FIGURE(energy_j, result->energies > 0)
REAL_FIGURE(energy_low_j, result->energies > 0)
REAL_FIGURE(energy_high_j, result->energies > 0)
REAL_FIGURE(power_w, result->energies > 0)
REAL_FIGURE(edp_js, result->energies > 0)
REAL_FIGURE(idle_w, result->energies > 0 && result->idle_w > 0)
REAL_FIGURE(idle_low_w, result->energies > 0 && result->idle_w > 0)
REAL_FIGURE(idle_high_w, result->energies > 0 && result->idle_w > 0)
REAL_FIGURE(gated_w, result->energies > 0 && result->gated_w > 0)
REAL_FIGURE(off_w, result->energies > 0 && result->off_w > 0)
#define SLEEP_FIGURE(state, member)                                                                                    \
    static bool get_##state##_##member(const struct sy_result *result, double *value, uint64_t *whole)                 \
    {                                                                                                                  \
        *whole = 0;                                                                                                    \
        *value = result->state.member;                                                                                 \
        return result->energies > 0 && result->state.known;                                                            \
    }
SLEEP_FIGURE(gated, wake_s)
SLEEP_FIGURE(gated, wake_j)
SLEEP_FIGURE(gated, break_even_s)
SLEEP_FIGURE(off, wake_s)
SLEEP_FIGURE(off, wake_j)
SLEEP_FIGURE(off, break_even_s)
REAL_FIGURE(peak_temperature_c, result->has_thermal)
REAL_FIGURE(throttled_s, result->has_thermal)
WHOLE_FIGURE(dram_read_bytes)
WHOLE_FIGURE(dram_write_bytes)
REAL_FIGURE(dram_utilization, result->dram_peak_bytes_per_s > 0)
REAL_FIGURE(arithmetic_intensity, result->arithmetic_intensity > 0)
REAL_FIGURE(roofline_macs_per_s, true)
WHOLE_FIGURE(kept_bytes_saved)
WHOLE_FIGURE(footprint_bytes)

static bool is_phase(const struct sy_result *result, const char *phase)
{
    return result->phase && !strcmp(result->phase, phase) && result->seconds > 0;
}

/* Device time only: host and queueing are not in it. */
static bool get_ttft_s(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = 0;
    *value = result->seconds;
    return is_phase(result, "prefill");
}

static bool get_tpot_s(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = 0;
    *value = result->seconds;
    return is_phase(result, "decode");
}

static bool get_aligned_cycles(const struct sy_result *result, double *value, uint64_t *whole)
{
    *value = (double)(*whole = result->aligned_cycles);
    return result->has_aligned;
}

static bool get_kv_pages(const struct sy_result *result, double *value, uint64_t *whole)
{
    *value = (double)(*whole = result->kv_pages);
    return result->kv_pages > 0;
}

static bool get_tokens_per_s(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = 0;
    *value = result->seconds > 0 ? (double)result->tokens / result->seconds : 0;
    return result->phase && result->seconds > 0;
}

static bool get_j_per_token(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = 0;
    *value = result->tokens ? result->energy_j * (double)sy_max(result->chips, 1) / (double)result->tokens : 0;
    return result->phase && result->tokens && result->energies;
}

static bool get_tpot_mean_s(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = 0;
    *value = result->mean_step_s;
    return result->mean_steps > 0;
}

static bool get_mfu(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = 0;
    *value = result->macs ? result->utilization * (double)result->model_macs / (double)result->macs : 0;
    return result->phase && result->macs;
}

static bool get_mbu(const struct sy_result *result, double *value, uint64_t *whole)
{
    double peak = result->seconds * result->dram_peak_bytes_per_s;
    *whole = 0;
    *value = peak > 0 ? (double)result->model_bytes / peak : 0;
    return is_phase(result, "decode") && peak > 0;
}

static bool get_area_mm2(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = 0;
    *value = result->area ? result->area->die_mm2 : 0;
    return result->area && result->area->die_mm2 > 0;
}

static bool get_tdp_estimate_w(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = 0;
    *value = result->area ? result->area->tdp_w : 0;
    return result->area && result->area->tdp_w > 0;
}

static bool get_skipped_macs(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = result->work.skipped_macs;
    *value = (double)*whole;
    return *whole > 0;
}

static bool get_exchanged_bytes(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = result->exchanged_bytes;
    *value = (double)*whole;
    return *whole > 0;
}

static bool get_halo_macs(const struct sy_result *result, double *value, uint64_t *whole)
{
    *whole = result->halo_macs;
    *value = (double)*whole;
    return *whole > 0;
}

const struct sy_figure_info sy_figures[] = {
    {"cycles", "array clock cycle", true, SY_NEITHER, "from the first cycle to the last result", get_cycles},
    {"seconds", "s", false, SY_LOWER, "cycles / array clock", get_seconds},
    {"macs", "MAC", true, SY_NEITHER, "multiply-accumulates executed", get_macs},
    {"skipped_macs", "MAC", true, SY_NEITHER, "multiply-accumulates left out by structured sparsity and masks",
     get_skipped_macs},
    {"exchanged_bytes", "byte", true, SY_LOWER, "partial sums that cores with a share of K each send to one another",
     get_exchanged_bytes},
    {"halo_macs", "MAC", true, SY_LOWER, "executed besides macs: of rows that fused groups compute again",
     get_halo_macs},
    {"utilization", "of peak MACs at the layers' precision", false, SY_HIGHER, "macs / (cycles x peak MACs a cycle)",
     get_utilization},
    {"active", "of cycles", false, SY_NEITHER, "cycles with a tile in progress / cycles", get_active},
    {"streaming", "of active cycles", false, SY_NEITHER, "operand beats / active cycles", get_streaming},
    {"mapping", "of PE-beats", false, SY_NEITHER, "PEs with work / PEs, over the beats", get_mapping},
    {"padding", "of mapped PE-beats", false, SY_NEITHER, "useful share of the work done", get_padding},
    {"energy_j", "J", false, SY_LOWER, "sum of the energy rows", get_energy_j},
    {"energy_low_j", "J", false, SY_LOWER, "the same with each row's low figure", get_energy_low_j},
    {"energy_high_j", "J", false, SY_LOWER, "the same with each row's high figure", get_energy_high_j},
    {"power_w", "W", false, SY_LOWER, "energy / seconds", get_power_w},
    {"edp_js", "J s", false, SY_LOWER, "energy x seconds", get_edp_js},
    {"idle_w", "W", false, SY_LOWER, "power without work, clocked", get_idle_w},
    {"idle_low_w", "W", false, SY_LOWER, "the same with each row's low figure", get_idle_low_w},
    {"idle_high_w", "W", false, SY_LOWER, "the same with each row's high figure", get_idle_high_w},
    {"gated_w", "W", false, SY_LOWER, "power with gated clocks", get_gated_w},
    {"off_w", "W", false, SY_LOWER, "power with gated supplies", get_off_w},
    {"gated_wake_s", "s", false, SY_LOWER, "waking up from gated clocks", get_gated_wake_s},
    {"gated_wake_j", "J", false, SY_LOWER, "of waking up from gated clocks", get_gated_wake_j},
    {"gated_break_even_s", "s", false, SY_LOWER, "idle time from which it pays", get_gated_break_even_s},
    {"off_wake_s", "s", false, SY_LOWER, "waking up from gated supplies", get_off_wake_s},
    {"off_wake_j", "J", false, SY_LOWER, "of waking up from gated supplies", get_off_wake_j},
    {"off_break_even_s", "s", false, SY_LOWER, "idle time from which it pays", get_off_break_even_s},
    {"peak_temperature_c", "C", false, SY_LOWER, "hottest the die gets when the run is repeated",
     get_peak_temperature_c},
    {"throttled_s", "s", false, SY_LOWER, "time of the repeated run under the temperature limit", get_throttled_s},
    {"area_mm2", "mm2", false, SY_LOWER, "estimated die area", get_area_mm2},
    {"tdp_estimate_w", "W", false, SY_LOWER, "every unit at its peak rate", get_tdp_estimate_w},
    {"dram_read_bytes", "byte", true, SY_LOWER, "read from backing stores, whole bursts", get_dram_read_bytes},
    {"dram_write_bytes", "byte", true, SY_LOWER, "written to backing stores, whole bursts", get_dram_write_bytes},
    {"aligned_cycles", "cycle", true, SY_LOWER,
     "of the core clock, with the regions of all operands aligned in memory (--aligned-too)", get_aligned_cycles},
    {"dram_utilization", "of peak bytes", false, SY_NEITHER, "bytes / (seconds x peak bandwidth of all backing stores)",
     get_dram_utilization},
    {"arithmetic_intensity", "MAC/byte", false, SY_NEITHER, "macs / bytes of backing stores", get_arithmetic_intensity},
    {"roofline_macs_per_s", "MAC/s", false, SY_NEITHER, "the smaller of peak and intensity x bandwidth",
     get_roofline_macs_per_s},
    {"kv_pages", "page", true, SY_NEITHER,
     "pages of the KV cache that attention reads, each once a layer: entries read of the page tables", get_kv_pages},
    {"tokens_per_s", "token/s", false, SY_HIGHER, "tokens of the pass, all sequences / seconds", get_tokens_per_s},
    {"ttft_s", "s", false, SY_LOWER, "time to first token: one prefill pass on the device, host and queueing left out",
     get_ttft_s},
    {"tpot_s", "s", false, SY_LOWER, "time per output token: one decode step at the stated context", get_tpot_s},
    {"tpot_mean_s", "s", false, SY_LOWER, "mean of --new-tokens decode steps, the context one token longer each",
     get_tpot_mean_s},
    {"j_per_token", "J/token", false, SY_LOWER, "energy of all chips that run the pass / its tokens", get_j_per_token},
    {"mfu", "of peak MACs", false, SY_HIGHER,
     "model MACs / (cycles x peak MACs a cycle); of attention only the visible query-key pairs count", get_mfu},
    {"mbu", "of peak bytes", false, SY_HIGHER,
     "bytes of weights and cached state, each once / (seconds x peak bandwidth of all backing stores)", get_mbu},
    {"kept_bytes_saved", "byte", true, SY_NEITHER, "backing-store traffic avoided by tensors kept on chip",
     get_kept_bytes_saved},
    {"footprint_bytes", "byte", true, SY_LOWER, "parameters, cached state and the activations of the largest layer",
     get_footprint_bytes},
};
const size_t sy_figure_count = sizeof sy_figures / sizeof sy_figures[0];

const struct sy_report_format *sy_report_format_find(const char *name)
{
    for (size_t i = 0; sy_report_formats[i]; i++)
        if (!strcmp(sy_report_formats[i]->name, name))
            return sy_report_formats[i];
    return NULL;
}
