/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of `interconnect`: what lies between the cores and the memories they share. */
#include "arch/chip.h"
#include "arch/chip_check.h"
#include "arch/chip_schema.h"

static const char *const kind_names[] = {"none", "crossbar", NULL}; /* as enum sy_interconnect_kind */

static const struct sy_field interconnect_fields[] = {
    {.key = "kind",
     .type = SY_FIELD_ENUM,
     .offset = offsetof(struct sy_interconnect, kind),
     .names = kind_names,
     .fallback = "none",
     .doc =
         "crossbar: each core has a port, and every byte between a memory of its own and one that cores share, or one "
         "off the chip, passes it; none: nothing limits these bytes but the memories and the DMA engines"},
    {.key = "port_bandwidth",
     .type = SY_FIELD_RATE,
     .offset = offsetof(struct sy_interconnect, port_bytes_per_s),
     .fallback = "unlimited",
     .flags = SY_FIELD_UNLIMITED,
     .min = "1 kB/s",
     .max = "1000000 TB/s",
     .doc = "of one core's port, each way"},
    {.key = "bandwidth",
     .type = SY_FIELD_RATE,
     .offset = offsetof(struct sy_interconnect, bytes_per_s),
     .fallback = "unlimited",
     .flags = SY_FIELD_UNLIMITED,
     .min = "1 kB/s",
     .max = "1000000 TB/s",
     .doc = "of all cores together, each way; bytes that several cores get are counted where they enter, once"},
    {.key = "latency",
     .type = SY_FIELD_U64,
     .unit = SY_UNIT_SECONDS,
     .per_unit = 1e12,
     .offset = offsetof(struct sy_interconnect, latency_ps),
     .fallback = "0 ns",
     .max = "1 s",
     .doc = "there and back of a load, there of a store; once a move, beside the memory's own"},
    {.key = "multicast",
     .type = SY_FIELD_BOOL,
     .offset = offsetof(struct sy_interconnect, multicast),
     .fallback = "false",
     .doc =
         "a tile that all cores need at once is read from the shared memory once and delivered to all; no: every core "
         "reads its own"},
    {0},
};
const struct sy_schema sy_interconnect_schema = {"interconnect", sizeof(struct sy_interconnect), interconnect_fields,
                                                 NULL};

void sy_chip_check_interconnect(struct sy_schema_context *context, const struct sy_yaml_node *root,
                                const struct sy_interconnect *interconnect)
{
    const struct sy_yaml_node *node = sy_yaml_get(root, "interconnect");
    const struct {
        const char *key;
        bool given;
    } limits[] = {{"port_bandwidth", interconnect->port_bytes_per_s > 0},
                  {"bandwidth", interconnect->bytes_per_s > 0},
                  {"latency", interconnect->latency_ps > 0},
                  {"multicast", interconnect->multicast}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (interconnect->kind == SY_INTERCONNECT_NONE && limits[i].given)
            sy_schema_fail(context, sy_yaml_get(node, limits[i].key), "write kind: crossbar beside it",
                           "interconnect.%s is given, but interconnect.kind is none", limits[i].key);
}
