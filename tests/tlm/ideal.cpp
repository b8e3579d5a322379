/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory target that is nothing but a latency and a bandwidth for each DMA
 * engine: the level's own figures, so a run with it takes the cycles of
 * `--memory ideal`. Built with SystemC alone. With the argument "shared" all
 * engines share one bus of that bandwidth; with "queue" the target has a process
 * of its own and the engines' requests go through its event queue as well.
 */
#include "sim/kernel/systole_tlm.hpp"

#include <cstring>

#include <tlm_utils/peq_with_get.h>
#include <tlm_utils/simple_target_socket.h>

namespace
{

struct ideal : sc_core::sc_module {
    tlm_utils::simple_target_socket<ideal> socket{"socket"};

    ideal(const sc_core::sc_module_name &name, const systole::tlm_level &level)
        : sc_core::sc_module(name), read_rate(level.read_bytes_per_s), write_rate(level.write_bytes_per_s),
          latency(sc_core::sc_time::from_value(level.latency_fs)), shared(!std::strcmp(level.argument, "shared")),
          queued(!std::strcmp(level.argument, "queue"))
    {
        socket.register_b_transport(this, &ideal::b_transport);
        SC_HAS_PROCESS(ideal);
        SC_METHOD(drain);
        sensitive << queue.get_event();
        dont_initialize();
    }

    void b_transport(tlm::tlm_generic_payload &request, sc_core::sc_time &delay)
    {
        const systole::tlm_engine *engine = request.get_extension<systole::tlm_engine>();
        sc_core::sc_time &free = free_at[shared || !engine ? 0 : engine->number % engines];
        sc_core::sc_time begin = sc_core::sc_time_stamp() + delay;
        if (request.is_read())
            begin += latency;
        free = std::max(free, begin) + moving(request.get_data_length(), request.is_read() ? read_rate : write_rate);
        delay = free - sc_core::sc_time_stamp();
        if (queued)
            queue.notify(request, delay);
        request.set_response_status(tlm::TLM_OK_RESPONSE);
    }

  private:
    static constexpr unsigned engines = 64;
    const std::uint64_t read_rate, write_rate;
    const sc_core::sc_time latency;
    const bool shared, queued;
    sc_core::sc_time free_at[engines];
    tlm_utils::peq_with_get<tlm::tlm_generic_payload> queue{"queue"};

    static sc_core::sc_time moving(std::uint64_t bytes, std::uint64_t rate)
    {
        return rate ? sc_core::sc_time::from_value(bytes * UINT64_C(1000000000000000) / rate) : sc_core::SC_ZERO_TIME;
    }
    void drain()
    {
        while (queue.get_next_transaction())
            ;
    }
};

} // namespace

SYSTOLE_TLM_TARGET(ideal)
