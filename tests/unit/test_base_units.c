/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/base/units.h"

#include <math.h>

#include "sim/base/text.h"
#include "tests/unit/base_support.h"

struct accepted_int {
    const char *text;
    enum sy_unit unit;
    uint64_t value;
};

START_TEST(whole_numbers_are_read_exactly)
{
    static const struct accepted_int rows[] = {
        {"0", SY_UNIT_NONE, 0},
        {"128", SY_UNIT_NONE, 128},
        {"1e3", SY_UNIT_NONE, 1000},
        {"1E+3", SY_UNIT_NONE, 1000},
        {"1.5e3", SY_UNIT_NONE, 1500},
        {"1000e-3", SY_UNIT_NONE, 1},
        {"18446744073709551615", SY_UNIT_NONE, UINT64_MAX},
        {"1844674407370955161.5e1", SY_UNIT_NONE, UINT64_MAX},
        {"0e400", SY_UNIT_NONE, 0},
        {"-0", SY_UNIT_NONE, 0},
        {"28 MiB", SY_UNIT_BYTES, UINT64_C(28) << 20},
        {"28MiB", SY_UNIT_BYTES, UINT64_C(28) << 20},
        {"8kB", SY_UNIT_BYTES, 8000},
        {"8 KiB", SY_UNIT_BYTES, 8192},
        {"0.5 KiB", SY_UNIT_BYTES, 512},
        {"0.0009765625 KiB", SY_UNIT_BYTES, 1},
        {"1 B", SY_UNIT_BYTES, 1},
        {"3 MB", SY_UNIT_BYTES, 3000000},
        {"3 GB", SY_UNIT_BYTES, 3000000000},
        {"2 TB", SY_UNIT_BYTES, 2000000000000},
        {"2 GiB", SY_UNIT_BYTES, UINT64_C(2) << 30},
        {"2 TiB", SY_UNIT_BYTES, UINT64_C(2) << 40},
        {"8 bit", SY_UNIT_BYTES, 1},
        {"1 kbit", SY_UNIT_BYTES, 125},
        {"1 Mbit", SY_UNIT_BYTES, 125000},
        {"1 Gbit", SY_UNIT_BYTES, 125000000},
        {"1 Tbit", SY_UNIT_BYTES, 125000000000},
        {"8 Kibit", SY_UNIT_BYTES, 1024},
        {"8 Mibit", SY_UNIT_BYTES, 1 << 20},
        {"8 Gibit", SY_UNIT_BYTES, 1 << 30},
        {"8 Tibit", SY_UNIT_BYTES, UINT64_C(1) << 40},
        {"700 MHz", SY_UNIT_HZ, 700000000},
        {"1 Hz", SY_UNIT_HZ, 1},
        {"32.768 kHz", SY_UNIT_HZ, 32768},
        {"1.05 GHz", SY_UNIT_HZ, 1050000000},
        {"34 GB/s", SY_UNIT_BYTES_PER_S, 34000000000},
        {"1 B/s", SY_UNIT_BYTES_PER_S, 1},
        {"1 kB/s", SY_UNIT_BYTES_PER_S, 1000},
        {"1 MB/s", SY_UNIT_BYTES_PER_S, 1000000},
        {"1.2 TB/s", SY_UNIT_BYTES_PER_S, 1200000000000},
        {"1 KiB/s", SY_UNIT_BYTES_PER_S, 1024},
        {"1 MiB/s", SY_UNIT_BYTES_PER_S, 1 << 20},
        {"1 GiB/s", SY_UNIT_BYTES_PER_S, 1 << 30},
        {"1 TiB/s", SY_UNIT_BYTES_PER_S, UINT64_C(1) << 40},
        {"16 bit/s", SY_UNIT_BYTES_PER_S, 2},
        {"16 kbit/s", SY_UNIT_BYTES_PER_S, 2000},
        {"16 Mbit/s", SY_UNIT_BYTES_PER_S, 2000000},
        {"16 Gbit/s", SY_UNIT_BYTES_PER_S, 2000000000},
        {"12 cycles", SY_UNIT_CYCLES, 12},
        {"1 cycle", SY_UNIT_CYCLES, 1},
        {"256 B/cycle", SY_UNIT_BYTES_PER_CYCLE, 256},
        {"1 KiB/cycle", SY_UNIT_BYTES_PER_CYCLE, 1024},
        {"2 h", SY_UNIT_SECONDS, 7200},
        {"3 min", SY_UNIT_SECONDS, 180},
        {"1 d", SY_UNIT_SECONDS, 86400},
        {"1 y", SY_UNIT_SECONDS, 31557600},
        {"3 s", SY_UNIT_SECONDS, 3},
        {"16 kUSD", SY_UNIT_USD, 16000},
        {"$16000", SY_UNIT_USD, 16000},
        {"$ 16000", SY_UNIT_USD, 16000},
        {"16000 $", SY_UNIT_USD, 16000},
        {"1.5 MUSD", SY_UNIT_USD, 1500000},
        {"1 BUSD", SY_UNIT_USD, 1000000000},
        {"3200 MT/s", SY_UNIT_TRANSFERS_PER_S, 3200000000},
        {"6.4 GT/s", SY_UNIT_TRANSFERS_PER_S, 6400000000},
        {"100 %", SY_UNIT_PERCENT, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 77;
        struct sy_unit_error error = {.message = ""};
        ck_assert_msg(sy_parse_u64(rows[i].text, rows[i].unit, &value, &error), "%s: %s", rows[i].text, error.message);
        ck_assert_msg(value == rows[i].value, "%s: %llu", rows[i].text, (unsigned long long)value);
    }
}
END_TEST

struct accepted_double {
    const char *text;
    enum sy_unit unit;
    double value; /* as the compiler reads the literal */
};

/* Exact comparison on purpose: the nearest double, not one a rounding away. */
START_TEST(doubles_are_the_nearest_to_what_is_written)
{
    static const struct accepted_double rows[] = {
        {"14 ns", SY_UNIT_SECONDS, 14e-9},
        {"0.1 us", SY_UNIT_SECONDS, 0.1e-6},
        {"1.7 ms", SY_UNIT_SECONDS, 1.7e-3},
        {"3 ps", SY_UNIT_SECONDS, 3e-12},
        {"7 fs", SY_UNIT_SECONDS, 7e-15},
        {"2.5 h", SY_UNIT_SECONDS, 9000.0},
        {"0.2 pJ", SY_UNIT_JOULES, 0.2e-12},
        {"3 J", SY_UNIT_JOULES, 3.0},
        {"3 mJ", SY_UNIT_JOULES, 3e-3},
        {"3 uJ", SY_UNIT_JOULES, 3e-6},
        {"3 nJ", SY_UNIT_JOULES, 3e-9},
        {"3.1 fJ", SY_UNIT_JOULES, 3.1e-15},
        {"75 W", SY_UNIT_WATTS, 75.0},
        {"1.1 kW", SY_UNIT_WATTS, 1100.0},
        {"2 MW", SY_UNIT_WATTS, 2e6},
        {"2 mW", SY_UNIT_WATTS, 2e-3},
        {"2 uW", SY_UNIT_WATTS, 2e-6},
        {"2 nW", SY_UNIT_WATTS, 2e-9},
        {"0.8 V", SY_UNIT_VOLTS, 0.8},
        {"850 mV", SY_UNIT_VOLTS, 850e-3},
        {"7 nm", SY_UNIT_METRES, 7e-9},
        {"55 um", SY_UNIT_METRES, 55e-6},
        {"26 mm", SY_UNIT_METRES, 26e-3},
        {"2 m", SY_UNIT_METRES, 2.0},
        {"331 mm2", SY_UNIT_SQUARE_METRES, 331e-6},
        {"0.5 um2", SY_UNIT_SQUARE_METRES, 0.5e-12},
        {"31 nm2", SY_UNIT_SQUARE_METRES, 31e-18},
        {"3 cm2", SY_UNIT_SQUARE_METRES, 3e-4},
        {"2 m2", SY_UNIT_SQUARE_METRES, 2.0},
        {"85 C", SY_UNIT_CELSIUS, 85.0},
        {"-40 C", SY_UNIT_CELSIUS, -40.0},
        {"20 %", SY_UNIT_PERCENT, 0.20},
        {"0.1%", SY_UNIT_PERCENT, 0.1e-2},
        {"0.125", SY_UNIT_NONE, 0.125},
        {"-2.5e-7", SY_UNIT_NONE, -2.5e-7},
        {"1.5 KiB", SY_UNIT_BYTES, 1536.0},
        {"3 bit", SY_UNIT_BYTES, 0.375},
        {"$12.75", SY_UNIT_USD, 12.75},
        {"940 MHz", SY_UNIT_HZ, 940e6},
        {"3.3 GB/s", SY_UNIT_BYTES_PER_S, 3.3e9},
        {"0.12345678901234567890123456789 s", SY_UNIT_SECONDS, 0.12345678901234567890123456789},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double value = 77;
        struct sy_unit_error error = {.message = ""};
        ck_assert_msg(sy_parse_double(rows[i].text, rows[i].unit, &value, &error), "%s: %s", rows[i].text,
                      error.message);
        ck_assert_msg(value == rows[i].value, "%s: %.17g, not %.17g", rows[i].text, value, rows[i].value);
    }
}
END_TEST

struct refused {
    const char *text;
    enum sy_unit unit;
    const char *says; /* part of the message */
    uint32_t column;
};

START_TEST(what_is_not_exactly_a_value_is_refused_with_a_reason)
{
    static const struct refused rows[] = {
        {"28", SY_UNIT_BYTES, "a unit is missing, for example 28 MiB", 2},
        {"700", SY_UNIT_HZ, "a unit is missing, for example 700 MHz", 3},
        {"0", SY_UNIT_SECONDS, "a unit is missing", 1},
        {"0.2", SY_UNIT_PERCENT, "a unit is missing, for example 20 %", 3},
        {"1e3", SY_UNIT_CYCLES, "a unit is missing", 3},
        {"010", SY_UNIT_NONE, "octal", 0},
        {"00", SY_UNIT_NONE, "octal", 0},
        {"-010 C", SY_UNIT_CELSIUS, "octal", 1},
        {"0x10", SY_UNIT_NONE, "'x10'", 1},
        {"12 rows", SY_UNIT_NONE, "no unit belongs here", 3},
        {"8 KB", SY_UNIT_BYTES, "did you mean", 2},
        {"8 kb", SY_UNIT_BYTES, "did you mean", 2},
        {"8 mib", SY_UNIT_BYTES, "did you mean 'MiB'?", 2},
        {"8 M", SY_UNIT_BYTES, "unit", 2},
        {"8 MHz", SY_UNIT_BYTES, "'MHz' is not a unit that fits here; expected a value such as 28 MiB", 2},
        {"8 mhz", SY_UNIT_HZ, "did you mean 'MHz'?", 2},
        {"8 GB", SY_UNIT_BYTES_PER_S, "'GB' is not a unit that fits here", 2},
        {"8 GB/S", SY_UNIT_BYTES_PER_S, "did you mean 'GB/s'?", 2},
        {"8 MiB!", SY_UNIT_BYTES, "unit", 2},
        {"8 MiB ", SY_UNIT_BYTES, "unit", 2},
        {" 8 MiB", SY_UNIT_BYTES, "expected a number", 0},
        {"8 ", SY_UNIT_NONE, "blank", 1},
        {"8 MiB 3", SY_UNIT_BYTES, "unit", 2},
        {"1,000", SY_UNIT_NONE, "grouped", 1},
        {"1_000", SY_UNIT_NONE, "grouped", 1},
        {"1.2.3", SY_UNIT_NONE, "grouped", 3},
        {".5 s", SY_UNIT_SECONDS, "before the point", 0},
        {"5. s", SY_UNIT_SECONDS, "after the point", 2},
        {"1e", SY_UNIT_NONE, "'e'", 1},
        {"1e+", SY_UNIT_NONE, "'e+'", 1},
        {"1e999", SY_UNIT_NONE, "exponent", 1},
        {"1e99999999999999999999", SY_UNIT_NONE, "exponent", 1},
        {"+5", SY_UNIT_NONE, "expected a number", 0},
        {"--5", SY_UNIT_NONE, "expected a number", 1},
        {"", SY_UNIT_NONE, "nothing", 0},
        {"nan", SY_UNIT_NONE, "expected a number", 0},
        {"inf", SY_UNIT_NONE, "expected a number", 0},
        {"MiB", SY_UNIT_BYTES, "expected a number", 0},
        {"$5 USD", SY_UNIT_USD, "after the number", 3},
        {"$", SY_UNIT_USD, "expected a number", 1},
        {"5", SY_UNIT_USD, "a unit is missing", 1},
        {"\xd9\xa1\xd9\xa2", SY_UNIT_NONE, "expected a number", 0}, /* digits of another script */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sy_unit_error error = {.message = ""};
        uint64_t whole = 77;
        double real = 77;
        ck_assert_msg(!sy_parse_u64(rows[i].text, rows[i].unit, &whole, &error), "'%s' was taken", rows[i].text);
        ck_assert_msg(!sy_parse_double(rows[i].text, rows[i].unit, &real, &error), "'%s' was taken", rows[i].text);
        ck_assert_msg(strstr(error.message, rows[i].says) != NULL, "'%s' says: %s", rows[i].text, error.message);
        ck_assert_msg(error.column == rows[i].column, "'%s' points at %u", rows[i].text, error.column);
        ck_assert_uint_eq(whole, 77); /* a refusal leaves the result alone */
        ck_assert(real == 77);
        ck_assert(!sy_parse_u64(rows[i].text, rows[i].unit, &whole, NULL));
    }
}
END_TEST

START_TEST(whole_numbers_out_of_range_or_broken_are_refused)
{
    static const struct refused rows[] = {
        {"18446744073709551616", SY_UNIT_NONE, "range", 0},
        {"16777216 TiB", SY_UNIT_BYTES, "range", 0},
        {"18446744073709551615 kB", SY_UNIT_BYTES, "range", 0},
        {"1e20", SY_UNIT_NONE, "range", 0},
        {"99999999999999999999999999999", SY_UNIT_NONE, "range", 0},
        {"1.00000000000000000000001", SY_UNIT_NONE, "range", 0},
        {"1e-30", SY_UNIT_NONE, "", 0},
        {"1.5", SY_UNIT_NONE, "whole", 0},
        {"1.5 B", SY_UNIT_BYTES, "whole", 0},
        {"7 bit", SY_UNIT_BYTES, "whole", 0},
        {"0.3 KiB", SY_UNIT_BYTES, "whole", 0},
        {"-1", SY_UNIT_NONE, "negative", 0},
        {"-5 MiB", SY_UNIT_BYTES, "negative", 0},
        {"50 %", SY_UNIT_PERCENT, "whole", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sy_unit_error error = {.message = ""};
        uint64_t value = 77;
        ck_assert_msg(!sy_parse_u64(rows[i].text, rows[i].unit, &value, &error), "'%s' was taken", rows[i].text);
        ck_assert_msg(strstr(error.message, rows[i].says) != NULL, "'%s' says: %s", rows[i].text, error.message);
        ck_assert_uint_eq(value, 77);
    }
    double real;
    ck_assert(!sy_parse_double("1e309", SY_UNIT_NONE, &real, NULL));
    ck_assert(!sy_parse_double("9e307 TiB", SY_UNIT_BYTES, &real, NULL));
    ck_assert(sy_parse_double("1e300", SY_UNIT_NONE, &real, NULL) && real == 1e300);
}
END_TEST

START_TEST(frequency_is_an_exact_reduced_fraction)
{
    uint64_t num, den;
    ck_assert(sy_parse_hz("1.05 GHz", &num, &den, NULL) && num == 1050000000 && den == 1);
    ck_assert(sy_parse_hz("0.5 Hz", &num, &den, NULL) && num == 1 && den == 2);
    ck_assert(sy_parse_hz("33.3333333333 MHz", &num, &den, NULL) && num == 333333333333 && den == 10000);
    ck_assert(sy_parse_hz("1e-6 Hz", &num, &den, NULL) && num == 1 && den == 1000000);
    ck_assert(!sy_parse_hz("0 Hz", &num, &den, NULL));
    ck_assert(!sy_parse_hz("700", &num, &den, NULL));
    ck_assert(!sy_parse_hz("-1 GHz", &num, &den, NULL));
    ck_assert(!sy_parse_hz("1e-30 Hz", &num, &den, NULL));
    ck_assert(!sy_parse_hz("20e9 GHz", &num, &den, NULL));
}
END_TEST

/* Property: any value that fits, written in any spelling of its amount, comes back exactly. */
START_TEST(spellings_of_one_amount_agree)
{
    uint64_t seed = 4;
    for (int i = 0; i < 20000; i++) {
        uint64_t kib = next_random(&seed) >> (11 + next_random(&seed) % 40), got;
        char text[100];
        snprintf(text, sizeof text, "%llu KiB", (unsigned long long)kib);
        ck_assert(sy_parse_u64(text, SY_UNIT_BYTES, &got, NULL));
        ck_assert_uint_eq(got, kib * 1024);
        uint64_t hz = 1 + (next_random(&seed) >> (next_random(&seed) % 60)), num, den;
        snprintf(text, sizeof text, "%llu.%09llu GHz", (unsigned long long)(hz / 1000000000),
                 (unsigned long long)(hz % 1000000000));
        ck_assert_msg(sy_parse_hz(text, &num, &den, NULL), "%s", text);
        ck_assert_uint_eq(num, hz);
        ck_assert_uint_eq(den, 1);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)(hz % 1000003), (int)(hz % 12));
        uint64_t want = hz % 1000003;
        for (uint64_t e = 0; e < hz % 12; e++) {
            want *= 10;
        }
        ck_assert(sy_parse_u64(text, SY_UNIT_NONE, &got, NULL));
        ck_assert_uint_eq(got, want);
    }
}
END_TEST

START_TEST(random_bytes_are_never_taken_wrongly)
{
    static const char alphabet[] = "0123456789.eE+-kKMGTiBbits/yzHC $%,_";
    uint64_t seed = 5;
    int taken = 0;
    for (int i = 0; i < 200000; i++) {
        char text[12];
        size_t n = next_random(&seed) % 10;
        for (size_t k = 0; k < n; k++) {
            text[k] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        }
        text[n] = '\0';
        enum sy_unit unit = (enum sy_unit)(next_random(&seed) % SY_UNIT_COUNT);
        uint64_t whole;
        double real;
        if (sy_parse_u64(text, unit, &whole, NULL)) {
            taken++;
            ck_assert_msg(sy_parse_double(text, unit, &real, NULL), "'%s'", text);
            ck_assert_msg(fabs(real - (double)whole) <= 1e-15 * real, "'%s'", text);
        }
    }
    ck_assert_int_gt(taken, 100);
}
END_TEST

START_TEST(every_unit_has_an_example_that_parses)
{
    for (int u = 0; u < SY_UNIT_COUNT; u++) {
        double value;
        const char *example = sy_unit_example((enum sy_unit)u);
        ck_assert_msg(sy_parse_double(example, (enum sy_unit)u, &value, NULL), "%s", example);
    }
    ck_assert_str_eq(sy_unit_example((enum sy_unit)1000), "");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("units");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, whole_numbers_are_read_exactly);
    tcase_add_test(tcase, doubles_are_the_nearest_to_what_is_written);
    tcase_add_test(tcase, what_is_not_exactly_a_value_is_refused_with_a_reason);
    tcase_add_test(tcase, whole_numbers_out_of_range_or_broken_are_refused);
    tcase_add_test(tcase, frequency_is_an_exact_reduced_fraction);
    tcase_add_test(tcase, spellings_of_one_amount_agree);
    tcase_add_test(tcase, random_bytes_are_never_taken_wrongly);
    tcase_add_test(tcase, every_unit_has_an_example_that_parses);
    return run_case("base/units", tcase);
}
