/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bring your own memory: what a shared object is written with whose TLM-2.0
 * target takes the place of the DRAM model (`--memory tlm:FILE.so[,ARGUMENT]`).
 * C++17, needs SystemC only; nothing of Systole is linked.
 *
 *     struct my_memory : sc_core::sc_module {
 *         tlm_utils::simple_target_socket<my_memory> socket{"socket"};
 *         my_memory(sc_core::sc_module_name name, const systole::tlm_level &level);
 *         void b_transport(tlm::tlm_generic_payload &request, sc_core::sc_time &delay);
 *     };
 *     SYSTOLE_TLM_TARGET(my_memory)
 *
 * The contract
 *  - One target is made for each DRAM level, before the simulation starts, and
 *    deleted after it. `socket` is any socket an initiator of width 32 binds to.
 *  - b_transport is called once a request, in order of time, from an SC_METHOD. On
 *    return sc_time_stamp() + delay is the time at which the request is complete
 *    (a read's last byte is back, a write is accepted): add to delay, and do not
 *    call wait(), next_trigger() or sc_stop(). The call is all there is: latency,
 *    bandwidth, queues are the target's. Debug, DMI and nb_transport are not used.
 *  - Data are a buffer without meaning: reads need not fill it in.
 *  - Requests of one engine do not go in data order through the target: several
 *    are in flight, as many as the chip's dma.outstanding_requests. The extension
 *    tlm_engine tells which engine asks.
 *  - Processes of the target's own may run; a clock, which never ends, may not.
 *  - An exception, a response other than TLM_OK_RESPONSE and a call of wait() end
 *    the run with a diagnostic.
 * The time resolution is 1 fs.
 */
#ifndef SYSTOLE_TLM_HPP
#define SYSTOLE_TLM_HPP

#include <cstdint>

#include <systemc>
#include <tlm>

/* Raised when anything below changes. The first member of tlm_factory never moves. */
#define SYSTOLE_TLM_ABI 1u

namespace systole
{

/* What the chip file says of the level, for targets that want it. Texts live for the call. 0: not given. */
struct tlm_level {
    const char *name;
    const char *argument; /* what followed the comma of --memory, or "" */
    std::uint64_t read_bytes_per_s, write_bytes_per_s;
    std::uint64_t latency_fs; /* of a read */
    std::uint64_t burst_bytes;
    std::uint64_t longest_bytes; /* of a request */
};

/* On every request: the DMA engine that makes it. */
struct tlm_engine : tlm::tlm_extension<tlm_engine> {
    std::uint32_t number = 0; /* below 64 */
    tlm::tlm_extension_base *clone() const override { return new tlm_engine(*this); }
    void copy_from(const tlm::tlm_extension_base &other) override
    {
        number = static_cast<const tlm_engine &>(other).number;
    }
};

struct tlm_factory {
    std::uint32_t abi;
    /* Makes a target named `name` and binds the initiator to it. NULL or an exception: the run ends. */
    sc_core::sc_module *(*create)(const char *name, const tlm_level &level, tlm::tlm_initiator_socket<> &initiator);
};

template <class Module>
sc_core::sc_module *tlm_create(const char *name, const tlm_level &level, tlm::tlm_initiator_socket<> &initiator)
{
    Module *module = new Module(name, level);
    initiator.bind(module->socket);
    return module;
}

} // namespace systole

/* The one symbol that is looked up. */
extern "C" __attribute__((visibility("default"))) const systole::tlm_factory *systole_tlm_factory(void);

#define SYSTOLE_TLM_TARGET(Module)                                                                                     \
    extern "C" const systole::tlm_factory *systole_tlm_factory(void)                                                   \
    {                                                                                                                  \
        static const systole::tlm_factory factory = {SYSTOLE_TLM_ABI, &systole::tlm_create<Module>};                   \
        return &factory;                                                                                               \
    }

#endif
