/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers with units, as people write them: `28 MiB`, `700 MHz`, `34 GB/s`,
 * `14 ns`. A bare number where a unit belongs, an unknown unit, trailing text
 * and a value outside the type are errors. Decimal prefixes are powers of
 * 1000, binary ones (Ki Mi Gi Ti) powers of 1024. No locale, no octal, no hex.
 * Digits may not be grouped. Exponents (`1e3`) are allowed.
 */
#ifndef SY_BASE_UNITS_H
#define SY_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* kind, base unit in which a value is returned */
enum sy_unit {
    SY_UNIT_NONE,            /* dimensionless: no unit text allowed */
    SY_UNIT_BYTES,           /* byte:   B kB MB GB TB KiB MiB GiB TiB; and bit kbit Mbit ... Kibit */
    SY_UNIT_HZ,              /* hertz:  Hz kHz MHz GHz */
    SY_UNIT_BYTES_PER_S,     /* B/s:    B/s kB/s MB/s GB/s TB/s KiB/s ... ; bit/s kbit/s Mbit/s Gbit/s */
    SY_UNIT_SECONDS,         /* second: s ms us ns ps fs, min h d y (365.25 d) */
    SY_UNIT_CYCLES,          /* cycle:  cycles cycle */
    SY_UNIT_BYTES_PER_CYCLE, /* byte a cycle: B/cycle KiB/cycle */
    SY_UNIT_JOULES,          /* joule:  J mJ uJ nJ pJ fJ */
    SY_UNIT_WATTS,           /* watt:   W kW MW mW uW nW */
    SY_UNIT_VOLTS,           /* volt:   V mV */
    SY_UNIT_METRES,          /* metre:  m mm um nm */
    SY_UNIT_SQUARE_METRES,   /* m^2:  mm2 um2 nm2 cm2 m2 */
    SY_UNIT_CELSIUS,         /* degree Celsius: C */
    SY_UNIT_USD,             /* US dollar: USD kUSD MUSD BUSD, $ as a prefix or suffix */
    SY_UNIT_PERCENT,         /* fraction: "20 %" = 0.2; "0.2" is refused */
    SY_UNIT_TRANSFERS_PER_S, /* transfers a second: MT/s GT/s */
    SY_UNIT_COUNT
};

/* Why a text was refused. message is a complete sentence fragment such as
 * "a unit is missing, for example 28 MiB"; static or in `text` below. */
struct sy_unit_error {
    char message[160];
    uint32_t column; /* 0-based offset in the text where it went wrong */
};

/* Parse exactly; false fills *error. The integer form refuses fractions that
 * are not whole in the base unit ("1.5 B"); "0.5 KiB" is 512. */
bool sy_parse_u64(const char *text, enum sy_unit unit, uint64_t *value, struct sy_unit_error *error);
bool sy_parse_double(const char *text, enum sy_unit unit, double *value, struct sy_unit_error *error);

/* Frequency as an exact fraction num/den Hz (`1.05 GHz`, `700 MHz`). */
bool sy_parse_hz(const char *text, uint64_t *num, uint64_t *den, struct sy_unit_error *error);

/* An example of the unit for messages ("28 MiB"); static storage. */
const char *sy_unit_example(enum sy_unit unit);

#endif
