/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The round trip: a memory target for `--memory tlm:` that is Systole's own DRAM bound as a TLM-2.0 target. The
 * argument names the device; SYSTOLE_DATA is where devices lie.
 */
#include "sim/kernel/systole_tlm.hpp"
#include "sim/kernel/systole_tlm_dram.hpp"
#include "tests/tlm/dram_of.hpp"

namespace
{

struct dram : systole::tlm_dram<> {
    dram(const sc_core::sc_module_name &name, const systole::tlm_level &level)
        : tlm_dram(name, where(), what(level.argument), nullptr, {false, true})
    {
    }
};

} // namespace

SYSTOLE_TLM_TARGET(dram)
