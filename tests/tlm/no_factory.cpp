/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object without a factory. */
extern "C" __attribute__((visibility("default"))) int something_else(void)
{
    return 0;
}
