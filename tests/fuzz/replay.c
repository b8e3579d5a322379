/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without a fuzzer: over every file of its corpus, and over
 * seeded mutations of them, so that a plain compiler gives every target some
 * exercise in `make check`. Linked to one fuzz_NAME.c.
 *
 * usage: replay_NAME [-m MUTATIONS] [FILE | FOLDER]...
 * Without a file: tests/fuzz/corpus/NAME under SYSTOLE_DATA.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEFAULT_MUTATIONS = 300, LARGEST = 1 << 20, GROWTH = 64 };

static unsigned long mutations = DEFAULT_MUTATIONS;
static unsigned long inputs;

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The target gets a block of exactly size bytes, so that a sanitizer sees every overrun. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    if (exact == NULL) {
        return;
    }
    if (size > 0) {
        memcpy(exact, data, size);
    }
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    inputs++;
}

/* One edit of data[0..size), which has room for GROWTH more bytes; returns the new size. */
static size_t mutate(uint8_t *data, size_t size, size_t room, uint64_t *seed)
{
    static const char *const tokens[] = {
        "0", "-1", "18446744073709551616", "1e999", "\"", "{", "}", "[", ",", "\n", "nan", "%s", "\xff"};
    size_t at = size == 0 ? 0 : next_random(seed) % size;
    uint64_t kind = next_random(seed) % 6;
    size_t length = 1 + next_random(seed) % 8;
    if (kind == 0 && size > 0) {
        data[at] = (uint8_t)next_random(seed);
    } else if (kind == 1 && size > 0) {
        data[at] ^= (uint8_t)(1U << next_random(seed) % 8);
    } else if (kind == 2) {
        return at; /* cut */
    } else if (kind == 3 && size - at > length) {
        memmove(data + at, data + at + length, size - at - length);
        return size - length;
    } else if (kind == 4 && size + length <= room && size - at >= length) {
        memmove(data + at + length, data + at, size - at); /* double a piece */
        return size + length;
    } else {
        const char *token = tokens[next_random(seed) % (sizeof tokens / sizeof tokens[0])];
        length = strlen(token);
        if (size + length <= room) {
            memmove(data + at + length, data + at, size - at);
            memcpy(data + at, token, length);
            return size + length;
        }
    }
    return size;
}

static void run_file(const char *path)
{
    static uint8_t original[LARGEST], work[LARGEST + GROWTH];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(original, 1, sizeof original, file);
    fclose(file);
    run(original, size);
    uint64_t seed = size;
    for (unsigned long i = 0; i < mutations; i++) {
        memcpy(work, original, size);
        size_t now = size;
        for (uint64_t edits = 1 + next_random(&seed) % 4; edits > 0; edits--) {
            now = mutate(work, now, sizeof work, &seed);
        }
        run(work, now);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Files of a folder in the order of their names, so that every run is the same. */
static void run_folder(const char *path)
{
    enum { MOST = 10000 };
    static char *names[MOST];
    size_t count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        exit(1);
    }
    for (struct dirent *entry = readdir(folder); entry != NULL && count < MOST; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            names[count++] = strdup(entry->d_name);
        }
    }
    closedir(folder);
    qsort(names, count, sizeof names[0], compare_names);
    for (size_t i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        run_file(file);
        free(names[i]);
    }
}

static void run_path(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        run_folder(path);
    } else {
        run_file(path);
    }
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash == NULL ? argv[0] : slash + 1;
    name = strncmp(name, "replay_", 7) == 0 ? name + 7 : name;
    int at = 1;
    if (argc > 2 && strcmp(argv[1], "-m") == 0) {
        mutations = strtoul(argv[2], NULL, 10);
        at = 3;
    }
    if (at == argc) {
        const char *data = getenv("SYSTOLE_DATA");
        char path[4096];
        snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", data == NULL ? "." : data, name);
        run_path(path);
    }
    for (; at < argc; at++) {
        run_path(argv[at]);
    }
    printf("%s - fuzz target %s survives %lu inputs\n", inputs > 0 ? "ok" : "not ok", name, inputs);
    return inputs > 0 ? 0 : 1;
}
