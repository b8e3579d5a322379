/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that say how a chip file is written. Constant; thread safe. */
#ifndef SY_ARCH_CHIP_SCHEMA_H
#define SY_ARCH_CHIP_SCHEMA_H

#include "arch/schema.h"

extern const struct sy_schema sy_chip_schema;         /* fills struct sy_chip */
extern const struct sy_schema sy_dma_schema;          /* fills struct sy_dma */
extern const struct sy_schema sy_attention_schema;    /* fills struct sy_attention_blocks */
extern const struct sy_schema sy_layouts_schema;      /* fills struct sy_layout [SY_C] */
extern const struct sy_schema sy_level_schema;        /* one memory level, fills struct sy_level */
extern const struct sy_schema sy_interconnect_schema; /* fills struct sy_interconnect */
extern const struct sy_schema sy_dataflow_schema;     /* fills struct sy_dataflow; also files of arch/dataflows */

#endif
