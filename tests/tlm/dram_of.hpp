/* SPDX-License-Identifier: Apache-2.0 */
/* A device of Systole's DRAM by name, its files where SYSTOLE_DATA says. */
#ifndef TESTS_TLM_DRAM_OF_HPP
#define TESTS_TLM_DRAM_OF_HPP

#include "sim/kernel/systole_tlm_dram.hpp"

#include <cstdlib>

inline systole_context where()
{
    auto made = systole::sized<systole_context>();
    made.data_dir = std::getenv("SYSTOLE_DATA");
    return made;
}

inline systole_dram_options what(const char *device)
{
    auto made = systole::sized<systole_dram_options>();
    made.device = device;
    return made;
}

#endif
