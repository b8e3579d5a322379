/* SPDX-License-Identifier: Apache-2.0 */
/* What no single key can say: the invariants of struct sy_chip (arch/chip.h), checked and completed after reading. */
#ifndef SY_ARCH_CHIP_CHECK_H
#define SY_ARCH_CHIP_CHECK_H

#include "arch/chip.h"
#include "arch/schema.h"

/* Fill in what follows from other keys (rates a cycle, a level's own clock, the timing family of a dataflow), then
 * check every invariant and report each that does not hold. root is the tree the chip was read from, for places. */
enum sy_status sy_chip_complete(struct sy_schema_context *context, const struct sy_yaml_node *root,
                                struct sy_chip *chip);

/* chip_interconnect.c: limits need a kind. */
void sy_chip_check_interconnect(struct sy_schema_context *context, const struct sy_yaml_node *root,
                                const struct sy_interconnect *interconnect);

#endif
