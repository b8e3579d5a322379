/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/text.h"
#include "tests/unit/base_support.h"

static char folder[1024];
static struct memory_sink sink;

static void setup(void)
{
    const char *scratch = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/systole-test-XXXXXX", scratch == NULL ? P_tmpdir : scratch);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    sink_start(&sink);
}

static int entries(void)
{
    int n = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n - 2;
}

static void teardown(void)
{
    char command[1100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_folder(const char *name)
{
    static char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put_file(const char *name, const char *text, mode_t mode)
{
    int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static char *contents(const char *name)
{
    char *data;
    size_t length;
    ck_assert_int_eq(sy_read_file(in_folder(name), 1 << 20, &data, &length, NULL), SY_OK);
    return data;
}

START_TEST(a_file_is_read_whole_up_to_the_limit)
{
    char *data = NULL;
    size_t length;
    put_file("f", "12345", 0644);
    ck_assert_int_eq(sy_read_file(in_folder("f"), 5, &data, &length, &sink.diag), SY_OK);
    ck_assert_uint_eq(length, 5);
    ck_assert_str_eq(data, "12345");
    free(data);
    data = NULL;
    ck_assert_int_eq(sy_read_file(in_folder("f"), 4, &data, &length, &sink.diag), SY_INPUT);
    ck_assert(strstr(sink.message, "larger than the limit of 4 bytes") != NULL);
    ck_assert_ptr_null(data);
    put_file("empty", "", 0644);
    ck_assert_int_eq(sy_read_file(in_folder("empty"), 0, &data, &length, &sink.diag), SY_OK);
    ck_assert_uint_eq(length, 0);
    ck_assert_str_eq(data, "");
    free(data);
    /* /proc files say size 0 and are read to their end all the same. */
    ck_assert_int_eq(sy_read_file("/proc/self/status", 1 << 20, &data, &length, &sink.diag), SY_OK);
    ck_assert_uint_gt(length, 100);
    free(data);
    ck_assert_int_eq(sy_read_file("/proc/self/status", 10, &data, &length, &sink.diag), SY_INPUT);
}
END_TEST

START_TEST(what_is_not_a_file_is_refused_at_once)
{
    char *data = NULL;
    size_t length;
    ck_assert_int_eq(sy_read_file(folder, 100, &data, &length, &sink.diag), SY_IO);
    ck_assert(strstr(sink.message, "directory") != NULL);
    ck_assert_int_eq(sy_read_file(in_folder("absent"), 100, &data, &length, &sink.diag), SY_IO);
    ck_assert(strstr(sink.message, "No such file") != NULL);
    ck_assert_int_eq(mkfifo(in_folder("fifo"), 0644), 0);
    ck_assert_int_eq(sy_read_file(in_folder("fifo"), 100, &data, &length, &sink.diag), SY_IO);
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(output_appears_only_at_commit)
{
    struct sy_outfile *out;
    ck_assert_int_eq(sy_outfile_open(in_folder("o"), &out, &sink.diag), SY_OK);
    static char block[200000];
    memset(block, 'x', sizeof block);
    ck_assert_int_eq(sy_outfile_write(out, "begin ", 6), SY_OK);
    ck_assert_int_eq(sy_outfile_write(out, block, sizeof block), SY_OK);
    ck_assert_int_eq(sy_outfile_write(out, " end", 4), SY_OK);
    ck_assert_int_ne(access(in_folder("o"), F_OK), 0);
    ck_assert_int_eq(sy_outfile_commit(out, &sink.diag), SY_OK);
    char *data = contents("o");
    ck_assert_uint_eq(strlen(data), sizeof block + 10);
    ck_assert_int_eq(strncmp(data, "begin xx", 8), 0);
    ck_assert_str_eq(data + sizeof block + 4, "xx end");
    free(data);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(an_aborted_output_leaves_the_old_file)
{
    struct sy_outfile *out;
    put_file("o", "old", 0600);
    ck_assert_int_eq(sy_outfile_open(in_folder("o"), &out, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_outfile_write(out, "new", 3), SY_OK);
    sy_outfile_abort(out);
    sy_outfile_abort(NULL);
    char *data = contents("o");
    ck_assert_str_eq(data, "old");
    free(data);
    ck_assert_int_eq(entries(), 1);
    ck_assert_int_eq(sy_outfile_open(in_folder("o"), &out, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_outfile_write(out, "new", 3), SY_OK);
    ck_assert_int_eq(sy_outfile_commit(out, &sink.diag), SY_OK);
    data = contents("o");
    ck_assert_str_eq(data, "new");
    free(data);
    struct stat info;
    ck_assert_int_eq(stat(in_folder("o"), &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600); /* permissions are kept */
}
END_TEST

START_TEST(a_symbolic_link_stays_and_its_target_is_replaced)
{
    struct sy_outfile *out;
    struct stat info;
    put_file("target", "old", 0644);
    ck_assert_int_eq(symlink("target", in_folder("link")), 0);
    ck_assert_int_eq(sy_outfile_open(in_folder("link"), &out, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_outfile_write(out, "new", 3), SY_OK);
    ck_assert_int_eq(sy_outfile_commit(out, &sink.diag), SY_OK);
    ck_assert_int_eq(lstat(in_folder("link"), &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
    char *data = contents("target");
    ck_assert_str_eq(data, "new");
    free(data);
}
END_TEST

START_TEST(places_that_cannot_be_written_are_refused)
{
    struct sy_outfile *out;
    ck_assert_int_eq(sy_outfile_open(folder, &out, &sink.diag), SY_IO);
    ck_assert(strstr(sink.message, "directory") != NULL);
    ck_assert_int_eq(sy_outfile_open("", &out, &sink.diag), SY_IO);
    ck_assert_int_eq(sy_outfile_open(in_folder("no/such/place"), &out, &sink.diag), SY_IO);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(entries(), 0);
}
END_TEST

START_TEST(a_full_device_is_an_error_at_commit)
{
    struct sy_outfile *out;
    ck_assert_int_eq(sy_outfile_open("/dev/full", &out, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_outfile_write(out, "x", 1), SY_OK); /* still in the buffer */
    ck_assert_int_eq(sy_outfile_commit(out, &sink.diag), SY_IO);
    ck_assert(strstr(sink.message, "No space left") != NULL);
    static char block[100000];
    ck_assert_int_eq(sy_outfile_open("/dev/full", &out, &sink.diag), SY_OK);
    ck_assert_int_eq(sy_outfile_write(out, block, sizeof block), SY_IO);
    ck_assert_int_eq(sy_outfile_write(out, "x", 1), SY_IO); /* stays failed */
    ck_assert_int_eq(sy_outfile_commit(out, &sink.diag), SY_IO);
    ck_assert_int_eq(access("/dev/full", F_OK), 0);
}
END_TEST

/* In a child, because it loses its standard output. */
static int with_stdout(int fd, const char *text)
{
    pid_t child = fork();
    if (child == 0) {
        if (fd < 0) {
            close(STDOUT_FILENO);
        } else {
            dup2(fd, STDOUT_FILENO);
        }
        struct sy_outfile *out;
        enum sy_status status = sy_outfile_open("-", &out, NULL);
        if (status == SY_OK) {
            (void)sy_outfile_write(out, text, strlen(text));
            status = sy_outfile_commit(out, NULL);
        }
        _exit((int)status);
    }
    int result;
    ck_assert_int_eq(waitpid(child, &result, 0), child);
    ck_assert(WIFEXITED(result));
    return WEXITSTATUS(result);
}

START_TEST(standard_output_works_and_its_loss_is_seen)
{
    int pipes[2];
    char got[16] = "";
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(with_stdout(pipes[1], "hello"), SY_OK);
    ck_assert_int_eq(read(pipes[0], got, sizeof got), 5);
    ck_assert_int_eq(strcmp(got, "hello"), 0);
    ck_assert_int_eq(with_stdout(-1, "hello"), SY_IO);
    ck_assert_int_eq(with_stdout(-1, ""), SY_IO);
    int full = open("/dev/full", O_WRONLY);
    ck_assert_int_eq(with_stdout(full, "hello"), SY_IO);
    close(full);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("file");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_file_is_read_whole_up_to_the_limit);
    tcase_add_test(tcase, what_is_not_a_file_is_refused_at_once);
    tcase_add_test(tcase, output_appears_only_at_commit);
    tcase_add_test(tcase, an_aborted_output_leaves_the_old_file);
    tcase_add_test(tcase, a_symbolic_link_stays_and_its_target_is_replaced);
    tcase_add_test(tcase, places_that_cannot_be_written_are_refused);
    tcase_add_test(tcase, a_full_device_is_an_error_at_commit);
    tcase_add_test(tcase, standard_output_works_and_its_loss_is_seen);
    return run_case("base/file", tcase);
}
