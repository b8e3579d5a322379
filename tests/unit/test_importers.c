/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of importers: each is documented, unique, recognises its own example among all, and imports it. */
#include "sim/base/text.h"
#include "tests/unit/base_support.h"
#include "workloads/import/importer.h"
#include "workloads/train.h"

static const char *under_root(const char *name)
{
    static char path[1024];
    const char *root = getenv("SYSTOLE_DATA");
    snprintf(path, sizeof path, "%s/%s", root != NULL ? root : ".", name);
    return path;
}

START_TEST(every_importer_is_documented_and_unique)
{
    int count = 0;
    for (const struct sy_importer *const *a = sy_importers; *a != NULL; a++, count++) {
        ck_assert_ptr_nonnull((*a)->name);
        ck_assert_ptr_nonnull((*a)->doc);
        ck_assert_ptr_nonnull((*a)->suffixes);
        ck_assert_ptr_nonnull((*a)->suffixes[0]);
        ck_assert_ptr_nonnull((*a)->example);
        for (const struct sy_importer *const *b = sy_importers; b != a; b++) {
            ck_assert_str_ne((*a)->name, (*b)->name);
        }
    }
    ck_assert_int_ge(count, 5);
}
END_TEST

/* By its content and by its name alone, among all importers. */
START_TEST(every_example_is_recognised_and_imported)
{
    for (const struct sy_importer *const *a = sy_importers; *a != NULL; a++) {
        char *data;
        size_t length;
        const char *path = under_root((*a)->example);
        ck_assert_msg(sy_read_file(path, 1 << 24, &data, &length, NULL) == SY_OK, "%s", path);
        const struct sy_importer *best = NULL;
        int score = 0;
        for (const struct sy_importer *const *b = sy_importers; *b != NULL; b++) {
            int here = (*b)->sniff(path, data, length < 4096 ? length : 4096);
            if (here > score) {
                score = here;
                best = *b;
            }
        }
        free(data);
        ck_assert_msg(best == *a, "%s is taken for %s", path, best != NULL ? best->name : "nothing");
        struct sy_workload *workload;
        struct memory_sink sink;
        ck_assert_msg(sy_import_file(path, NULL, NULL, &workload, sink_start(&sink)) == SY_OK, "%s: %s", path,
                      sink.message);
        ck_assert_uint_gt(workload->records, 0);
        sy_workload_destroy(workload);
    }
}
END_TEST

/* What one importer left behind cannot change what the next one makes. */
START_TEST(the_order_of_importing_does_not_matter)
{
    uint64_t first[16] = {0};
    for (int pass = 0; pass < 2; pass++) {
        int count = 0;
        while (sy_importers[count] != NULL) {
            count++;
        }
        for (int i = 0; i < count && i < 16; i++) {
            int which = pass == 0 ? i : count - 1 - i;
            struct sy_workload *workload;
            struct sy_workload_totals totals;
            ck_assert_int_eq(sy_import_file(under_root(sy_importers[which]->example), NULL, NULL, &workload, NULL),
                             SY_OK);
            ck_assert(sy_workload_totals(workload, &totals));
            uint64_t sum =
                totals.macs ^ totals.activation_bytes << 1 ^ totals.weight_bytes << 2 ^ workload->records << 3;
            ck_assert(pass == 0 || first[which] == sum);
            first[which] = sum;
            sy_workload_destroy(workload);
        }
    }
}
END_TEST

/* A convolution's gradients cost its MACs twice; the optimizer touches every parameter. */
START_TEST(a_backward_pass_mirrors_the_forward_pass)
{
    struct sy_workload *workload;
    struct sy_workload_totals forward, whole;
    ck_assert_int_eq(sy_import_file(under_root("tests/golden/onnx/resnet18.onnx"), NULL, NULL, &workload, NULL), SY_OK);
    ck_assert(sy_workload_totals(workload, &forward));
    ck_assert_int_eq(sy_workload_add_backward(workload, "t", NULL), SY_OK);
    ck_assert(sy_workload_totals(workload, &whole));
    ck_assert_uint_eq(whole.macs, 3 * forward.macs);
    ck_assert_uint_eq(whole.parameters, forward.parameters);
    uint64_t updated = 0;
    for (const struct sy_workload_record *r = workload->first; r != NULL; r = r->next) {
        if (r->layer.op == SY_OP_ELEMENTWISE && r->layer.dim.elementwise.function == SY_FN_ADAM) {
            updated += r->layer.dim.elementwise.elements;
        }
    }
    ck_assert_uint_eq(updated, 3 * forward.parameters);
    sy_workload_destroy(workload);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("importers");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_importer_is_documented_and_unique);
    tcase_add_test(tcase, every_example_is_recognised_and_imported);
    tcase_add_test(tcase, the_order_of_importing_does_not_matter);
    tcase_add_test(tcase, a_backward_pass_mirrors_the_forward_pass);
    return run_case("workloads/importers", tcase);
}
