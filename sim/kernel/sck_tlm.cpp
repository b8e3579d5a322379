/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory targets: foreign TLM-2.0 modules in the SystemC context of a
 * simulation, each behind an initiator socket of ours. systole_tlm.hpp is the
 * contract. Whatever foreign code throws becomes a status here; it never reaches
 * C frames. SystemC's reports are exceptions too (sck_systemc.cpp), among them
 * the one for a wait() in an SC_METHOD.
 */
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include "sim/kernel/systole_tlm.hpp"

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <unistd.h>

#include "sim/kernel/sck_backend.h"

namespace
{

struct Port : sc_core::sc_module, tlm::tlm_bw_transport_if<> {
    tlm::tlm_initiator_socket<> socket{"socket"};

    explicit Port(const sc_core::sc_module_name &name) : sc_core::sc_module(name) { socket.bind(*this); }
    tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &, tlm::tlm_phase &, sc_core::sc_time &) override
    {
        SC_REPORT_ERROR("memory", "the target called nb_transport_bw, but nothing was asked with nb_transport_fw");
        return tlm::TLM_COMPLETED;
    }
    void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}
};

/* The one request is used again and again: there is nothing to free. A target may hold it all the same. */
struct Keeper : tlm::tlm_mm_interface {
    void free(tlm::tlm_generic_payload *) override {}
};

} // namespace

struct sck_target {
    sck_sim *sim = nullptr;
    sck_target *next = nullptr;
    std::unique_ptr<Port> port;
    std::unique_ptr<sc_core::sc_module> module;
    Keeper keeper;
    systole::tlm_engine engine;
    tlm::tlm_generic_payload request{&keeper};
    std::vector<unsigned char> data;

    sck_target() { request.acquire(); }
    ~sck_target()
    {
        request.clear_extension(&engine); /* a payload frees what it still has */
        module.reset();
    }
    sck_target(const sck_target &) = delete;
    sck_target &operator=(const sck_target &) = delete;
};

namespace
{

/* Some reports say it in their type, some in their text. */
std::string text_of(const sc_core::sc_report &report)
{
    const std::string type = report.get_msg_type(), text = report.get_msg();
    const size_t from = text.find_first_not_of(" \n");
    return from == std::string::npos ? type : type + ": " + text.substr(from);
}

template <class Body> sy_status guarded(sck_sim *sim, const char *what, Body body) noexcept
{
    try {
        return body();
    } catch (const sc_core::sc_report &report) {
        return sck_error(sim, SY_INPUT, "%s: SystemC: %s", what, text_of(report).c_str());
    } catch (const std::bad_alloc &) {
        return sck_error(sim, SY_NOMEM, "%s: out of memory", what);
    } catch (const std::exception &error) {
        return sck_error(sim, SY_INPUT, "%s: exception: %s", what, error.what());
    } catch (...) {
        return sck_error(sim, SY_INPUT, "%s: unknown exception", what);
    }
}

/* The factory of a shared object. It stays loaded: SystemC keeps pointers into it. */
sy_status find_factory(sck_sim *sim, const char *given, const systole::tlm_factory **factory)
{
    const std::string path = std::strchr(given, '/') ? given : std::string("./") + given;
    if (access(path.c_str(), R_OK) != 0)
        return sck_error(sim, SY_IO, "cannot read it: %s", std::strerror(errno));
    void *object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!object)
        return sck_error(sim, SY_INPUT, "cannot load it: %s", dlerror());
    const auto ask = reinterpret_cast<const systole::tlm_factory *(*)()>(dlsym(object, "systole_tlm_factory"));
    *factory = ask ? ask() : nullptr;
    dlclose(object);
    if (!*factory)
        return sck_error(sim, SY_INPUT, "there is no factory in it (SYSTOLE_TLM_TARGET makes one)");
    if ((*factory)->abi != SYSTOLE_TLM_ABI)
        return sck_error(sim, SY_INPUT, "it was built for ABI version %u, this is version %u", (*factory)->abi,
                         SYSTOLE_TLM_ABI);
    return SY_OK;
}

bool has_clock(const sc_core::sc_object *object)
{
    if (dynamic_cast<const sc_core::sc_clock *>(object))
        return true;
    for (const sc_core::sc_object *child : object->get_child_objects())
        if (has_clock(child))
            return true;
    return false;
}

sy_status make(sck_sim *sim, const sck_target_spec *spec, sck_target *target)
{
    const systole::tlm_factory *factory = nullptr;
    const sy_status status = find_factory(sim, spec->path, &factory);
    if (status != SY_OK)
        return status;
    target->data.resize(spec->longest_bytes);
    const std::string port = sc_core::sc_gen_unique_name("initiator"), name = sc_core::sc_gen_unique_name("target");
    target->port = std::make_unique<Port>(port.c_str());
    const systole::tlm_level level = {spec->name ? spec->name : "",
                                      spec->argument ? spec->argument : "",
                                      spec->read_bytes_per_s,
                                      spec->write_bytes_per_s,
                                      spec->latency_fs,
                                      spec->burst_bytes,
                                      spec->longest_bytes};
    target->module.reset(factory->create(name.c_str(), level, target->port->socket));
    if (!target->module)
        return sck_error(sim, SY_INPUT, "its factory made no target");
    if (has_clock(target->module.get()))
        return sck_error(sim, SY_INPUT, "it has a clock, with which a run would never end");
    return SY_OK;
}

sy_status transport(sck_target *target, const sck_request *asked, uint64_t *done)
{
    sck_sim *sim = target->sim;
    tlm::tlm_generic_payload &request = target->request;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    target->engine.number = asked->initiator;
    request.set_command(asked->write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    request.set_address(asked->address);
    request.set_data_ptr(target->data.data());
    request.set_data_length(asked->bytes);
    request.set_streaming_width(asked->bytes);
    request.set_byte_enable_ptr(nullptr);
    request.set_dmi_allowed(false);
    request.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    request.set_extension(&target->engine);
    target->port->socket->b_transport(request, delay);
    if (!request.is_response_ok())
        return sck_error(sim, SY_INPUT, "it answered %s", request.get_response_string().c_str());
    if (delay.value() >= SCK_NEVER - sim->now)
        return sck_error(sim, SY_OVERFLOW, "its delay ends beyond the range of time");
    *done = sim->now + delay.value();
    return SY_OK;
}

} // namespace

extern "C" sy_status sck_tlm_open(sck_sim *sim, const sck_target_spec *spec, sck_target **out)
{
    auto *target = new (std::nothrow) sck_target;
    if (!target)
        return sck_error(sim, SY_NOMEM, "no memory for a memory target");
    target->sim = sim;
    target->next = sim->targets;
    sim->targets = target;
    *out = target;
    return guarded(sim, "making it", [&] { return make(sim, spec, target); });
}

extern "C" void sck_tlm_close(sck_sim *sim)
{
    while (sck_target *target = sim->targets) {
        sim->targets = target->next;
        (void)guarded(sim, "deleting it", [&] {
            delete target;
            return SY_OK;
        });
    }
}

extern "C" sy_status sck_target_access(sck_target *target, const sck_request *request, uint64_t *done)
{
    sck_sim *sim = target->sim;
    if (sim->state != SCK_RUNNING)
        return sck_error(sim, SY_STATE, "requests are made by a method that runs");
    if (!request->bytes || request->bytes > target->data.size())
        return sck_error(sim, SY_USAGE, "a request of %u bytes, where 1 to %zu are possible", request->bytes,
                         target->data.size());
    return guarded(sim, request->write ? "b_transport of a write" : "b_transport of a read",
                   [&] { return transport(target, request, done); });
}
