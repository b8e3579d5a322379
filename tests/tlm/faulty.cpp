/* SPDX-License-Identifier: Apache-2.0 */
/* A memory target that does at its tenth request what a target must not do; the argument says what. */
#include "sim/kernel/systole_tlm.hpp"

#include <stdexcept>
#include <string>

#include <tlm_utils/simple_target_socket.h>

namespace
{

struct faulty : sc_core::sc_module {
    tlm_utils::simple_target_socket<faulty> socket{"socket"};

    faulty(const sc_core::sc_module_name &name, const systole::tlm_level &level)
        : sc_core::sc_module(name), fault(level.argument)
    {
        if (fault == "no-make")
            throw std::runtime_error("cannot be made");
        if (fault == "clock")
            clock = new sc_core::sc_clock("clock", sc_core::sc_time(1, sc_core::SC_NS));
        if (fault == "nb-only")
            socket.register_nb_transport_fw(this, &faulty::nb_transport_fw);
        else if (fault != "unregistered")
            socket.register_b_transport(this, &faulty::b_transport);
    }
    ~faulty() override { delete clock; }

    void b_transport(tlm::tlm_generic_payload &request, sc_core::sc_time &delay)
    {
        if (++requests == 10)
            misbehave(request, delay);
        else
            request.set_response_status(tlm::TLM_OK_RESPONSE);
    }
    tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &, tlm::tlm_phase &, sc_core::sc_time &)
    {
        return tlm::TLM_ACCEPTED;
    }

  private:
    const std::string fault;
    unsigned requests = 0;
    sc_core::sc_clock *clock = nullptr;

    void misbehave(tlm::tlm_generic_payload &request, sc_core::sc_time &delay)
    {
        if (fault == "throw")
            throw std::runtime_error("the tenth is too many");
        if (fault == "throw-int")
            throw 10;
        if (fault == "wait")
            sc_core::wait(1, sc_core::SC_NS);
        if (fault == "address")
            request.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
        if (fault == "report")
            SC_REPORT_FATAL("faulty", "a report of its own");
        if (fault == "late")
            delay = sc_core::sc_max_time();
        if (fault == "stop")
            sc_core::sc_stop();
        if (fault == "trigger")
            sc_core::next_trigger(1, sc_core::SC_SEC);
        if (fault == "stop" || fault == "trigger" || fault == "late")
            request.set_response_status(tlm::TLM_OK_RESPONSE);
    }
};

} // namespace

SYSTOLE_TLM_TARGET(faulty)
