/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Systole's DRAM as a TLM-2.0 target of a SystemC model: controller and device of
 * `--memory burst`, request by request. C++17; needs SystemC and libsystole.
 *
 *     auto where = systole::sized<systole_context>();
 *     where.data_dir = "/usr/local/share/systole";
 *     auto what = systole::sized<systole_dram_options>();
 *     what.device = "ddr4-3200-dramsim3";
 *     systole::tlm_dram<> memory("memory", where, what);
 *     initiator.socket.bind(memory.socket);
 *
 * The contract
 *  - nb_transport_fw/bw: the base protocol in four phases. A request reaches the memory at the annotated time.
 *    END_REQ comes when the controller's queue has taken it, so a full queue holds the initiator back; the next
 *    BEGIN_REQ may not come before. BEGIN_RESP comes when a read's last data are back, or when a write is
 *    accepted; one at a time, the next after END_RESP. Responses come in the order of their times, not of their
 *    requests. END_RESP may come by nb_transport_fw or as the return value, TLM_UPDATED or TLM_COMPLETED. A
 *    payload needs a memory manager, as the base protocol says.
 *  - b_transport from an SC_THREAD: several may call at once; it returns at the time of completion, with a delay
 *    of zero. The delay given is the time from now at which the request reaches the memory.
 *  - b_transport from an SC_METHOD, which cannot wait: it returns at once, the delay is that of the completion as
 *    if no other request came after it (a forecast: what comes later may in truth pass it or be passed). Requests
 *    go in in the order of the calls.
 *  - A request that is answered with an error takes no time. TLM_BYTE_ENABLE_ERROR_RESPONSE: enables of length 0;
 *    TLM_BURST_ERROR_RESPONSE: no data, more than 1 MiB, or a streaming width below the data length (a fixed
 *    address); TLM_ADDRESS_ERROR_RESPONSE: beyond the capacity; TLM_COMMAND_ERROR_RESPONSE: neither read, write
 *    nor ignore; TLM_GENERIC_ERROR_RESPONSE: no data pointer, or a time beyond 1000 s. TLM_IGNORE_COMMAND is
 *    answered TLM_OK_RESPONSE and moves nothing.
 *  - Byte enables mask what is stored; a masked write takes the time of the whole one, as on a data bus with masks.
 *  - Data are stored (pages are made as they are written; what was never written reads as zero), in the order in
 *    which requests are accepted. Construct with tlm_dram_use.store = false for timing alone: reads then leave the data as
 *    they are. transport_dbg reads and writes the store; there is no DMI.
 *  - An initiator that breaks the protocol is an SC_ERROR, as is a device that cannot be opened.
 * One process, no clock: it sleeps until the next completion is possible. Time resolution: 1 ps or finer for exact
 * times; a coarser one rounds up.
 */
#ifndef SYSTOLE_TLM_DRAM_HPP
#define SYSTOLE_TLM_DRAM_HPP

#ifndef SC_INCLUDE_DYNAMIC_PROCESSES
#define SC_INCLUDE_DYNAMIC_PROCESSES /* tlm_utils' sockets */
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include <systole.h>

namespace systole
{

/* An options struct of systole.h: all default, its size set. */
template <class Struct> Struct sized()
{
    Struct made{};
    made.struct_size = sizeof made;
    return made;
}

/* Bytes by address; pages appear as they are written. */
class tlm_store
{
  public:
    template <class Mask> void write(std::uint64_t address, const unsigned char *data, std::size_t length, Mask enabled)
    {
        for (std::size_t i = 0; i < length; i++)
            if (enabled(i))
                page_of(address + i)[(address + i) % page_bytes] = data[i];
    }
    template <class Mask>
    void read(std::uint64_t address, unsigned char *data, std::size_t length, Mask enabled) const
    {
        for (std::size_t i = 0; i < length; i++)
            if (enabled(i)) {
                const auto page = pages.find((address + i) / page_bytes);
                data[i] = page == pages.end() ? 0 : (*page->second)[(address + i) % page_bytes];
            }
    }

  private:
    static constexpr std::uint64_t page_bytes = 4096;
    using page = std::array<unsigned char, page_bytes>;
    std::unordered_map<std::uint64_t, std::unique_ptr<page>> pages;

    page &page_of(std::uint64_t address)
    {
        std::unique_ptr<page> &held = pages[address / page_bytes];
        if (!held)
            held = std::make_unique<page>(page{});
        return *held;
    }
};

struct tlm_dram_use {
    bool store = true; /* data are kept, else this is timing alone */
    bool wrap = false; /* addresses beyond the capacity wrap, else they are an error */
};

template <unsigned BUSWIDTH = 32> class tlm_dram : public sc_core::sc_module
{
  public:
    tlm_utils::simple_target_socket<tlm_dram, BUSWIDTH> socket{"socket"};

    /* chip: whose DRAM level it is, or nullptr when options name a device; needed no longer than the constructor. */
    tlm_dram(const sc_core::sc_module_name &name, const systole_context &context, const systole_dram_options &options,
             const systole_chip *chip = nullptr, tlm_dram_use use = {})
        : sc_core::sc_module(name), uses(use),
          resolution_fs(std::max<std::uint64_t>(
              static_cast<std::uint64_t>(std::llround(sc_core::sc_get_time_resolution().to_seconds() * 1e15)), 1))
    {
        systole_context listening = context;
        std::string said;
        listening.diagnose = collect;
        listening.diagnose_context = &said;
        const systole_status status = systole_dram_open(&listening, chip, &options, &dram);
        if (status != SYSTOLE_OK)
            SC_REPORT_ERROR("systole/dram", (said.empty() ? systole_status_text(status) : said.c_str()));
        facts = sized<systole_dram_info>();
        (void)systole_dram_describe(dram, &facts);
        socket.register_b_transport(this, &tlm_dram::b_transport);
        socket.register_nb_transport_fw(this, &tlm_dram::nb_transport_fw);
        socket.register_transport_dbg(this, &tlm_dram::transport_dbg);
        SC_HAS_PROCESS(tlm_dram);
        SC_METHOD(step);
        sensitive << wake;
        dont_initialize();
    }
    ~tlm_dram() override
    {
        for (auto &coming : arriving)
            release(coming.second);
        for (auto &flying : in_flight)
            release(flying.second);
        for (auto &answer : answers)
            release(answer);
        systole_dram_free(dram);
    }
    tlm_dram(const tlm_dram &) = delete;
    tlm_dram &operator=(const tlm_dram &) = delete;

    const systole_dram_info &info() const { return facts; }
    systole_dram_counts counts() const
    {
        auto all = sized<systole_dram_counts>();
        (void)systole_dram_count(dram, &all);
        return all;
    }

  private:
    using payload = tlm::tlm_generic_payload;
    /* Who asked: a thread that waits for `done`, or else an initiator that gets phases. */
    struct call {
        payload *request = nullptr;
        sc_core::sc_event *done = nullptr;
        bool blocking = false;
    };

    const tlm_dram_use uses;
    const std::uint64_t resolution_fs;
    systole_dram *dram = nullptr;
    systole_dram_info facts{};
    tlm_store bytes;
    sc_core::sc_event wake;
    std::uint64_t calls = 0;
    std::map<std::pair<sc_core::sc_time, std::uint64_t>, call> arriving; /* not at the memory yet */
    std::unordered_map<std::uint64_t, call> in_flight;                   /* by tag */
    /* the request phase: who has begun one, and when it ends */
    payload *requesting = nullptr;
    bool is_accepted = false;
    sc_core::sc_time accepted_at;
    /* the response phase */
    std::deque<call> answers;
    payload *responding = nullptr;
    sc_core::sc_time response_free;

    static void collect(void *text, const systole_diagnostic *diagnostic)
    {
        std::string &all = *static_cast<std::string *>(text);
        all += (all.empty() ? "" : "; ") + std::string(diagnostic->file ? diagnostic->file : "") +
               (diagnostic->line ? ":" + std::to_string(diagnostic->line) + ": " : diagnostic->file ? ": " : "") +
               diagnostic->message;
    }
    static void release(const call &of)
    {
        if (!of.blocking && of.request->has_mm())
            of.request->release();
    }

    /* ---- time: powers of ten, so one of the two factors is 1 ---- */
    std::uint64_t to_ps(const sc_core::sc_time &time) const
    {
        const std::uint64_t value = time.value();
        if (resolution_fs >= 1000) {
            const std::uint64_t factor = resolution_fs / 1000;
            return value > UINT64_MAX / factor ? UINT64_MAX : value * factor;
        }
        const std::uint64_t divisor = 1000 / resolution_fs;
        return value / divisor + (value % divisor != 0);
    }
    sc_core::sc_time from_ps(std::uint64_t ps) const
    {
        if (resolution_fs >= 1000) {
            const std::uint64_t divisor = resolution_fs / 1000;
            return sc_core::sc_time::from_value(ps / divisor + (ps % divisor != 0));
        }
        return sc_core::sc_time::from_value(ps * (1000 / resolution_fs));
    }

    /* ---- what is asked ---- */
    bool is_there(std::uint64_t address, std::uint64_t length) const
    {
        const std::uint64_t room = uses.wrap ? UINT64_MAX : facts.capacity_bytes;
        return length <= room && address <= room - length;
    }
    tlm::tlm_response_status judge(const payload &request) const
    {
        const std::uint64_t length = request.get_data_length();
        if (!request.is_read() && !request.is_write())
            return request.get_command() == tlm::TLM_IGNORE_COMMAND ? tlm::TLM_OK_RESPONSE
                                                                    : tlm::TLM_COMMAND_ERROR_RESPONSE;
        if (!request.get_data_ptr())
            return tlm::TLM_GENERIC_ERROR_RESPONSE;
        if (request.get_byte_enable_ptr() && !request.get_byte_enable_length())
            return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
        if (!length || length > (1u << 20) || request.get_streaming_width() < length)
            return tlm::TLM_BURST_ERROR_RESPONSE;
        if (!is_there(request.get_address(), length))
            return tlm::TLM_ADDRESS_ERROR_RESPONSE;
        return tlm::TLM_INCOMPLETE_RESPONSE; /* go on */
    }
    void move_data(payload &request)
    {
        const unsigned char *mask = request.get_byte_enable_ptr();
        const std::size_t period = request.get_byte_enable_length();
        const auto enabled = [=](std::size_t i) { return !mask || mask[i % period] == TLM_BYTE_ENABLED; };
        if (uses.store && request.is_write())
            bytes.write(request.get_address(), request.get_data_ptr(), request.get_data_length(), enabled);
        else if (uses.store)
            bytes.read(request.get_address(), request.get_data_ptr(), request.get_data_length(), enabled);
    }
    /* Hand it to the memory; false when it cannot be taken, with the answer set. */
    bool submit(payload &request, const sc_core::sc_time &time, bool forget, std::uint64_t *accepted_ps)
    {
        auto asked = sized<systole_dram_request>();
        asked.time_ps = to_ps(time);
        asked.address = request.get_address();
        asked.bytes = request.get_data_length();
        asked.write = request.is_write();
        asked.forget = forget;
        asked.tag = ++calls;
        if (systole_dram_submit(dram, &asked, accepted_ps) != SYSTOLE_OK) {
            request.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
            return false;
        }
        move_data(request);
        request.set_response_status(tlm::TLM_OK_RESPONSE);
        return true;
    }

    /* ---- the process ---- */
    void step()
    {
        const sc_core::sc_time now = sc_core::sc_time_stamp();
        if (systole_dram_advance(dram, to_ps(now)) != SYSTOLE_OK)
            SC_REPORT_ERROR("systole/dram", "simulated time is beyond 1000 s");
        take_completions();
        while (!arriving.empty() && arriving.begin()->first.first <= now) {
            const call next = arriving.begin()->second;
            arriving.erase(arriving.begin());
            begin(next, now);
        }
        take_completions(); /* writes that were accepted at once */
        end_request(now);
        respond();
        sleep();
    }
    void begin(const call &next, const sc_core::sc_time &now)
    {
        std::uint64_t accepted_ps = 0;
        sc_core::sc_time accepted = now;
        if (submit(*next.request, now, false, &accepted_ps)) {
            accepted = from_ps(accepted_ps);
            in_flight[calls] = next;
        } else {
            complete(next);
        }
        if (next.request == requesting) {
            is_accepted = true;
            accepted_at = accepted;
        }
    }
    void take_completions()
    {
        auto done = sized<systole_dram_completion>();
        while (systole_dram_take(dram, &done)) {
            const auto found = in_flight.find(done.tag);
            if (found == in_flight.end())
                continue; /* its thread is gone */
            const call of = found->second;
            in_flight.erase(found);
            complete(of);
        }
    }
    void complete(const call &of)
    {
        if (of.done)
            of.done->notify();
        else
            answers.push_back(of);
    }
    void end_request(const sc_core::sc_time &now)
    {
        if (!requesting || !is_accepted || accepted_at > now)
            return;
        payload *const request = requesting;
        requesting = nullptr; /* the initiator may begin the next one from within */
        is_accepted = false;
        tlm::tlm_phase phase = tlm::END_REQ;
        sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
        (void)socket->nb_transport_bw(*request, phase, delay);
    }
    void respond()
    {
        const sc_core::sc_time now = sc_core::sc_time_stamp();
        while (!answers.empty() && !responding && response_free <= now && answers.front().request != requesting) {
            const call of = answers.front();
            answers.pop_front();
            responding = of.request;
            tlm::tlm_phase phase = tlm::BEGIN_RESP;
            sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
            const tlm::tlm_sync_enum said = socket->nb_transport_bw(*of.request, phase, delay);
            if (said == tlm::TLM_COMPLETED || (said == tlm::TLM_UPDATED && phase == tlm::END_RESP))
                end_response(*of.request, delay);
        }
    }
    void end_response(payload &request, const sc_core::sc_time &delay)
    {
        if (responding != &request)
            SC_REPORT_ERROR("systole/dram", "END_RESP of a response that has not begun");
        responding = nullptr;
        response_free = sc_core::sc_time_stamp() + delay;
        request.release();
    }
    void sleep()
    {
        const sc_core::sc_time now = sc_core::sc_time_stamp();
        sc_core::sc_time next = sc_core::sc_max_time();
        if (!arriving.empty())
            next = std::min(next, arriving.begin()->first.first);
        if (requesting && is_accepted)
            next = std::min(next, accepted_at);
        if (!answers.empty() && !responding)
            next = std::min(next, response_free);
        const std::uint64_t done = in_flight.empty() ? UINT64_MAX : systole_dram_wake(dram);
        if (done != UINT64_MAX)
            next = std::min(next, from_ps(done));
        wake.cancel();
        if (next != sc_core::sc_max_time())
            wake.notify(next > now ? next - now : sc_core::SC_ZERO_TIME);
    }

    /* ---- the interface ---- */
    tlm::tlm_sync_enum nb_transport_fw(payload &request, tlm::tlm_phase &phase, sc_core::sc_time &delay)
    {
        if (phase == tlm::END_RESP) {
            end_response(request, delay);
            wake.notify(sc_core::SC_ZERO_TIME);
            return tlm::TLM_COMPLETED;
        }
        if (phase != tlm::BEGIN_REQ) {
            if (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP)
                SC_REPORT_ERROR("systole/dram", "an initiator sends BEGIN_REQ and END_RESP only");
            return tlm::TLM_ACCEPTED; /* a phase of someone else's */
        }
        if (requesting)
            SC_REPORT_ERROR("systole/dram", "BEGIN_REQ before END_REQ of the request before it");
        if (!request.has_mm())
            SC_REPORT_ERROR("systole/dram", "nb_transport_fw needs a payload with a memory manager");
        const tlm::tlm_response_status status = judge(request);
        if (status != tlm::TLM_INCOMPLETE_RESPONSE) {
            request.set_response_status(status);
            return tlm::TLM_COMPLETED;
        }
        request.acquire();
        requesting = &request;
        is_accepted = false;
        arrive(call{&request, nullptr, false}, delay);
        return tlm::TLM_ACCEPTED;
    }
    void arrive(const call &of, const sc_core::sc_time &delay)
    {
        arriving[{sc_core::sc_time_stamp() + delay, ++calls}] = of;
        wake.notify(delay); /* an earlier notification stays */
    }

    void b_transport(payload &request, sc_core::sc_time &delay)
    {
        const tlm::tlm_response_status status = judge(request);
        if (status != tlm::TLM_INCOMPLETE_RESPONSE) {
            request.set_response_status(status);
            return;
        }
        const sc_core::sc_process_handle caller = sc_core::sc_get_current_process_handle();
        if (caller.valid() &&
            (caller.proc_kind() == sc_core::SC_THREAD_PROC_ || caller.proc_kind() == sc_core::SC_CTHREAD_PROC_))
            wait_for(request, delay);
        else
            forecast(request, delay);
    }
    void wait_for(payload &request, sc_core::sc_time &delay)
    {
        sc_core::sc_event done;
        forgetting guard{*this, done};
        arrive(call{&request, &done, true}, delay);
        sc_core::wait(done);
        guard.is_done = true;
        delay = sc_core::SC_ZERO_TIME;
    }
    /* A killed thread leaves by an exception. */
    struct forgetting {
        tlm_dram &of;
        sc_core::sc_event &done;
        bool is_done = false;
        ~forgetting()
        {
            if (is_done)
                return;
            for (auto coming = of.arriving.begin(); coming != of.arriving.end();)
                coming = coming->second.done == &done ? of.arriving.erase(coming) : std::next(coming);
            for (auto flying = of.in_flight.begin(); flying != of.in_flight.end();)
                flying = flying->second.done == &done ? of.in_flight.erase(flying) : std::next(flying);
        }
    };
    void forecast(payload &request, sc_core::sc_time &delay)
    {
        const sc_core::sc_time now = sc_core::sc_time_stamp();
        std::uint64_t accepted_ps = 0, done_ps = 0;
        const std::uint64_t present = to_ps(now);
        if (systole_dram_advance(dram, present) != SYSTOLE_OK || !submit(request, now + delay, true, &accepted_ps))
            return;
        if (systole_dram_last_done(dram, &done_ps) != SYSTOLE_OK) {
            request.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
            return;
        }
        const sc_core::sc_time done = from_ps(done_ps);
        delay = done > now ? done - now : sc_core::SC_ZERO_TIME;
    }
    unsigned transport_dbg(payload &request)
    {
        const std::uint64_t length = request.get_data_length(), address = request.get_address();
        if (!uses.store || !is_there(address, length))
            return 0;
        const auto all = [](std::size_t) { return true; };
        if (request.is_write())
            bytes.write(address, request.get_data_ptr(), length, all);
        else if (request.is_read())
            bytes.read(address, request.get_data_ptr(), length, all);
        request.set_response_status(tlm::TLM_OK_RESPONSE);
        return static_cast<unsigned>(length);
    }
};

} // namespace systole

#endif
