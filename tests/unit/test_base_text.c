/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/base/text.h"

#include <locale.h>
#include <math.h>

#include "tests/unit/base_support.h"

START_TEST(buffer_grows_and_stays_terminated)
{
    struct sy_buf buf = {0};
    static char expected[60000];
    size_t n = 0;
    uint64_t seed = 6;
    while (n < 50000) {
        char piece[700];
        size_t length = next_random(&seed) % 600;
        memset(piece, 'a' + (int)(n % 26), length);
        piece[length] = '\0';
        if (n % 2 == 0) {
            sy_buf_puts(&buf, piece);
        } else {
            sy_buf_printf(&buf, "%s", piece);
        }
        memcpy(expected + n, piece, length);
        n += length;
        ck_assert_uint_eq(buf.length, n);
        ck_assert(buf.data == NULL || buf.data[n] == '\0');
    }
    ck_assert(!buf.failed);
    ck_assert_int_eq(memcmp(buf.data, expected, n), 0);
    sy_buf_clear(&buf);
    ck_assert_uint_eq(buf.length, 0);
    ck_assert_str_eq(buf.data, "");
    sy_buf_append(&buf, "a\0b", 3);
    ck_assert_uint_eq(buf.length, 3);
    sy_buf_free(&buf);
    ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(buffer_that_cannot_grow_says_so_and_keeps_its_text)
{
    struct sy_buf buf = {0};
    sy_buf_puts(&buf, "kept");
    sy_buf_append(&buf, "x", SIZE_MAX / 2);
    ck_assert(buf.failed);
    sy_buf_puts(&buf, "lost");
    sy_buf_printf(&buf, "%d", 5);
    ck_assert_str_eq(buf.data, "kept");
    sy_buf_free(&buf);
}
END_TEST

START_TEST(integers_are_written_plain_and_grouped)
{
    char out[32];
    ck_assert_str_eq(sy_format_u64(out, 0), "0");
    ck_assert_str_eq(sy_format_u64(out, UINT64_MAX), "18446744073709551615");
    ck_assert_str_eq(sy_format_grouped(out, 7), "7");
    ck_assert_str_eq(sy_format_grouped(out, 999), "999");
    ck_assert_str_eq(sy_format_grouped(out, 1000), "1,000");
    ck_assert_str_eq(sy_format_grouped(out, 1234567), "1,234,567");
    ck_assert_str_eq(sy_format_grouped(out, UINT64_MAX), "18,446,744,073,709,551,615");
}
END_TEST

START_TEST(doubles_are_written_short_and_never_as_nan)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0.0, "0"},
                {-0.0, "0"},
                {1.0, "1"},
                {-1.5, "-1.5"},
                {0.1, "0.1"},
                {1.0 / 3, "0.333333333333"},
                {2.0 / 3, "0.666666666667"},
                {100.0, "100"},
                {123456789012.0, "123456789012"},
                {1e14, "100000000000000"},
                {1e15, "1e15"},
                {1.5e300, "1.5e300"},
                {-2.5e-300, "-2.5e-300"},
                {0.00001, "0.00001"},
                {0.000001, "1e-6"},
                {14e-9, "1.4e-8"},
                {4.09e9, "4090000000"},
                {0.999999999999999, "1"},
                {12345.678, "12345.678"},
                {1.7976931348623157e308, "1.79769313486e308"},
                {5e-324, "4.94065645841e-324"},
                {(double)NAN, "null"},
                {(double)INFINITY, "null"},
                {(double)-INFINITY, "null"}};
    char out[32];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_str_eq(sy_format_double(out, rows[i].value), rows[i].text);
    }
}
END_TEST

static double any_double(uint64_t *seed)
{
    double value;
    do {
        uint64_t bits = next_random(seed);
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return value;
}

/* Written, read and written again: the text is a fixed point and as near as twelve digits can be. */
START_TEST(doubles_round_trip_to_twelve_digits)
{
    uint64_t seed = 7;
    for (int i = 0; i < 100000; i++) {
        double value = i % 2 == 0 ? any_double(&seed) : ldexp((double)(next_random(&seed) % 1000000), -(int)(i % 60));
        char text[32], again[32];
        double read;
        sy_format_double(text, value);
        EXPECT(strlen(text) < 24);
        if (!sy_text_to_double(text, strlen(text), &read)) {
            ck_assert_msg(fabs(value) > 1.797693134861e308, "%s", text); /* rounded past the largest double */
            continue;
        }
        EXPECT(fabs(read - value) <= 5.0e-12 * fabs(value) + 5e-324);
        EXPECT(strcmp(sy_format_double(again, read), text) == 0);
    }
}
END_TEST

/* Values that have at most twelve digits come back bit for bit. */
START_TEST(short_decimals_round_trip_exactly)
{
    uint64_t seed = 8;
    for (int i = 0; i < 100000; i++) {
        char source[40], text[32];
        double value, read;
        snprintf(source, sizeof source, "%llue%d", (unsigned long long)(next_random(&seed) % 1000000000000),
                 (int)(next_random(&seed) % 60) - 40);
        EXPECT(sy_text_to_double(source, strlen(source), &value));
        sy_format_double(text, value);
        EXPECT(sy_text_to_double(text, strlen(text), &read));
        EXPECT(read == value);
    }
}
END_TEST

START_TEST(fixed_places_are_kept)
{
    char out[32];
    ck_assert_str_eq(sy_format_fixed(out, 3.14159, 2), "3.14");
    ck_assert_str_eq(sy_format_fixed(out, 3.0, 0), "3");
    ck_assert_str_eq(sy_format_fixed(out, -0.001, 2), "0.00");
    ck_assert_str_eq(sy_format_fixed(out, -1.005, 1), "-1.0");
    ck_assert_str_eq(sy_format_fixed(out, 999999999999999.0, 12), "999999999999999.000000000000");
    ck_assert_str_eq(sy_format_fixed(out, 1e15, 3), "1e15");
    ck_assert_str_eq(sy_format_fixed(out, (double)NAN, 3), "null");
    ck_assert_uint_lt(strlen(sy_format_fixed(out, -99999999999999.4, 4000000000u)), 32);
}
END_TEST

START_TEST(si_prefixes_keep_three_or_four_digits)
{
    static const struct {
        double value;
        const char *unit;
        const char *text;
    } rows[] = {{34e9, "B/s", "34.0 GB/s"},  {0.0, "J", "0 J"},          {1.0, "J", "1.00 J"},
                {999.94, "J", "999.9 J"},    {999.96, "J", "1.00 kJ"},   {0.9996, "W", "1.00 W"},
                {0.5, "W", "500.0 mW"},      {1234.0, "Hz", "1.23 kHz"}, {12345678.0, "Hz", "12.3 MHz"},
                {-2.5e-12, "J", "-2.50 pJ"}, {4.09e9, "", "4.09 G"},     {7.0, "", "7.00"},
                {5e-17, "J", "0.05 fJ"},     {1e21, "B", "1000.0 EB"},   {9.996, "V", "10.0 V"},
                {7.0, NULL, "7.00"},         {(double)NAN, "J", "n/a"}};
    char out[32];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_str_eq(sy_format_si(out, rows[i].value, rows[i].unit), rows[i].text);
    }
    uint64_t seed = 9;
    for (int i = 0; i < 20000; i++) {
        EXPECT(strlen(sy_format_si(out, any_double(&seed), "a long unit name")) < 32);
    }
}
END_TEST

START_TEST(whole_texts_only_are_numbers)
{
    static const char *const refused[] = {"",   " 1", "1 ",  "1x",  "0x10", "nan",   "inf", "infinity", ".5",
                                          "5.", "1e", "1e+", "--1", "1,5",  "1e400", "+",   "-"};
    uint64_t whole;
    double real;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ck_assert_msg(!sy_text_to_double(refused[i], strlen(refused[i]), &real), "'%s'", refused[i]);
        ck_assert_msg(!sy_text_to_u64(refused[i], strlen(refused[i]), &whole), "'%s'", refused[i]);
    }
    ck_assert(!sy_text_to_u64("-1", 2, &whole));
    ck_assert(!sy_text_to_u64("18446744073709551616", 20, &whole));
    ck_assert(sy_text_to_u64("18446744073709551615", 20, &whole) && whole == UINT64_MAX);
    ck_assert(sy_text_to_u64("123456", 3, &whole) && whole == 123); /* length counts, not the NUL */
    ck_assert(sy_text_to_double("-2.5e-3", 7, &real) && real == -2.5e-3);
    ck_assert(sy_text_to_double("1e-400", 6, &real) && real == 0.0);
    char many[2000];
    memset(many, '1', sizeof many);
    ck_assert(!sy_text_to_double(many, sizeof many, &real));
    ck_assert(sy_text_to_double(many, 300, &real));
}
END_TEST

/* Skipped where the machine has no locale with a decimal comma; the CI image need not have one. */
START_TEST(a_decimal_comma_locale_changes_nothing)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ru_RU.UTF-8", "de_DE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (setlocale(LC_ALL, names[i]) != NULL) {
            break;
        }
    }
    char out[32];
    double real;
    ck_assert_str_eq(sy_format_double(out, 0.5), "0.5");
    ck_assert_str_eq(sy_format_fixed(out, -1234.5, 2), "-1234.50");
    ck_assert_str_eq(sy_format_si(out, 1500.0, "J"), "1.50 kJ");
    ck_assert(sy_text_to_double("1.5", 3, &real) && real == 1.5);
    setlocale(LC_ALL, "C");
}
END_TEST

/* FIPS 180-4 example vectors (NIST, SHA-256 examples: "abc" and the two-block message; the million a's). */
START_TEST(sha256_gives_the_published_digests)
{
    char out[65];
    sy_sha256_hex("", 0, out);
    ck_assert_str_eq(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sy_sha256_hex("abc", 3, out);
    ck_assert_str_eq(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    sy_sha256_hex(two_blocks, strlen(two_blocks), out);
    ck_assert_str_eq(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    sy_sha256_hex(million, 1000000, out);
    ck_assert_str_eq(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}
END_TEST

START_TEST(sha256_in_pieces_with_and_without_instructions_is_the_same)
{
    static unsigned char data[3000];
    uint64_t seed = 6;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (unsigned char)next_random(&seed);
    }
    for (size_t length = 0; length <= sizeof data; length += 1 + length / 40) {
        char whole[65], pieces[65];
        sy_sha256_hex(data, length, whole);
        struct sy_sha256 sha;
        sy_sha256_begin(&sha);
        sha.instructions = false;
        for (size_t at = 0; at < length;) {
            size_t take = 1 + (size_t)(next_random(&seed) % 150);
            take = take < length - at ? take : length - at;
            sy_sha256_add(&sha, data + at, take);
            at += take;
            if (at % 3 == 0) {
                sy_sha256_hex_of(&sha, pieces); /* changes nothing */
            }
        }
        sy_sha256_hex_of(&sha, pieces);
        ck_assert_str_eq(whole, pieces);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("text");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, buffer_grows_and_stays_terminated);
    tcase_add_test(tcase, buffer_that_cannot_grow_says_so_and_keeps_its_text);
    tcase_add_test(tcase, integers_are_written_plain_and_grouped);
    tcase_add_test(tcase, doubles_are_written_short_and_never_as_nan);
    tcase_add_test(tcase, doubles_round_trip_to_twelve_digits);
    tcase_add_test(tcase, short_decimals_round_trip_exactly);
    tcase_add_test(tcase, fixed_places_are_kept);
    tcase_add_test(tcase, si_prefixes_keep_three_or_four_digits);
    tcase_add_test(tcase, whole_texts_only_are_numbers);
    tcase_add_test(tcase, a_decimal_comma_locale_changes_nothing);
    tcase_add_test(tcase, sha256_gives_the_published_digests);
    tcase_add_test(tcase, sha256_in_pieces_with_and_without_instructions_is_the_same);
    return run_case("base/text", tcase);
}
