/* SPDX-License-Identifier: Apache-2.0 */
/* A factory of a later ABI version. */
#include "sim/kernel/systole_tlm.hpp"

extern "C" const systole::tlm_factory *systole_tlm_factory(void)
{
    static const systole::tlm_factory factory = {SYSTOLE_TLM_ABI + 1, nullptr};
    return &factory;
}
