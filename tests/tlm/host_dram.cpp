/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's SystemC model with Systole's DRAM in it, bound as a TLM-2.0 target.
 *
 *     host_dram DEVICE PATTERN REQUESTS nb|b    drive it with a pattern, its addresses made here anew
 *     host_dram DEVICE check                    the corners of the protocol, one line a promise
 *
 * A pattern is seq_rd, seq_wr, mix3 or stride:PITCH:WIDTH. nb: one initiator, four phases, the next request when the
 * one before is accepted. b: a thread for each of 16 requests in flight. The output is JSON: picoseconds.
 */
#include "sim/kernel/systole_tlm_dram.hpp"
#include "tests/tlm/dram_of.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <vector>

#include <tlm_utils/simple_initiator_socket.h>

namespace
{

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using payload = tlm::tlm_generic_payload;

double ps(const sc_time &time)
{
    return time.to_seconds() * 1e12;
}

/* ---- patterns ---- */
struct access {
    std::uint64_t address;
    bool write;
};

std::vector<access> make(const std::string &pattern, std::uint64_t requests, std::uint64_t burst)
{
    unsigned long long pitch = 0, width = 0;
    std::vector<access> all;
    std::sscanf(pattern.c_str(), "stride:%llu:%llu", &pitch, &width);
    for (std::uint64_t i = 0; i < requests; i++) {
        if (pattern == "seq_rd" || pattern == "seq_wr") {
            all.push_back({i * burst, pattern == "seq_wr"});
        } else if (pattern == "mix3") { /* two streams read, one written, 64 MiB apart */
            all.push_back({i % 3 * (64u << 20) + i / 3 * burst, i % 3 == 2});
        } else if (width) { /* 64 lines of `width`, then the next column of them */
            const std::uint64_t inside = width / burst, line = i / inside % 64, column = i / inside / 64;
            const std::uint64_t columns = pitch / width;
            all.push_back(
                {column / columns * 64 * pitch + line * pitch + column % columns * width + i % inside * burst, false});
        } else {
            std::fprintf(stderr, "pattern '%s' is not known\n", pattern.c_str());
            std::exit(2);
        }
    }
    return all;
}

struct keeper : tlm::tlm_mm_interface {
    std::vector<payload *> free_ones;
    payload *take()
    {
        if (free_ones.empty())
            return new payload(this);
        payload *const taken = free_ones.back();
        free_ones.pop_back();
        return taken;
    }
    void free(payload *one) override
    {
        one->reset();
        free_ones.push_back(one);
    }
    ~keeper() override
    {
        for (payload *one : free_ones)
            delete one;
    }
};

struct measured {
    std::uint64_t reads = 0, done = 0;
    double latency = 0, most = 0, end = 0;
    void note(double accepted, double back, bool write)
    {
        done++;
        end = std::max(end, back);
        if (write)
            return;
        reads++;
        latency += back - accepted;
        most = std::max(most, back - accepted);
    }
    void print(const char *how) const
    {
        std::printf("{\"how\": \"%s\", \"done\": %llu, \"end_ps\": %.0f, \"read_latency_mean_ps\": %.3f, "
                    "\"read_latency_max_ps\": %.0f}\n",
                    how, static_cast<unsigned long long>(done), end, reads ? latency / static_cast<double>(reads) : 0,
                    most);
    }
};

void fill(payload &request, std::uint64_t address, bool write, unsigned char *data, unsigned length)
{
    request.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    request.set_address(address);
    request.set_data_ptr(data);
    request.set_data_length(length);
    request.set_streaming_width(length);
    request.set_byte_enable_ptr(nullptr);
    request.set_byte_enable_length(0);
    request.set_dmi_allowed(false);
    request.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

/* ---- four phases ---- */
struct phased : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<phased> socket{"socket"};
    std::vector<access> all;
    std::size_t next = 0;
    unsigned burst;
    measured result;
    std::vector<unsigned char> data;
    std::map<payload *, std::pair<double, bool>> out;
    keeper pool;
    sc_core::sc_event go;
    unsigned answer = 0; /* END_RESP by return value UPDATED, COMPLETED, or a call: in turn */
    bool ordered = true; /* END_REQ before BEGIN_RESP, and one BEGIN_RESP at a time */
    payload *responding = nullptr;

    phased(const sc_core::sc_module_name &name, std::vector<access> accesses, unsigned burst_bytes)
        : sc_core::sc_module(name), all(std::move(accesses)), burst(burst_bytes), data(burst_bytes)
    {
        socket.register_nb_transport_bw(this, &phased::bw);
        SC_HAS_PROCESS(phased);
        SC_METHOD(send);
        sensitive << go;
    }
    void send()
    {
        if (responding && answer % 3 == 2) { /* a call of its own for END_RESP */
            tlm::tlm_phase phase = tlm::END_RESP;
            sc_time delay = sc_core::SC_ZERO_TIME;
            payload *const ended = responding;
            responding = nullptr;
            answer++;
            (void)socket->nb_transport_fw(*ended, phase, delay);
        }
        if (next == all.size() || waiting)
            return;
        payload *const request = pool.take();
        request->acquire();
        fill(*request, all[next].address, all[next].write, data.data(), burst);
        tlm::tlm_phase phase = tlm::BEGIN_REQ;
        sc_time delay = sc_core::SC_ZERO_TIME;
        next++;
        waiting = true;
        out[request] = {-1, request->is_write()};
        if (socket->nb_transport_fw(*request, phase, delay) != tlm::TLM_ACCEPTED)
            ordered = false;
    }
    tlm::tlm_sync_enum bw(payload &request, tlm::tlm_phase &phase, sc_time &delay)
    {
        const double now = ps(sc_time_stamp() + delay);
        if (phase == tlm::END_REQ) {
            ordered = ordered && out[&request].first < 0;
            out[&request].first = now;
            waiting = false;
            go.notify(sc_core::SC_ZERO_TIME);
            return tlm::TLM_ACCEPTED;
        }
        ordered =
            ordered && phase == tlm::BEGIN_RESP && !responding && out[&request].first >= 0 && request.is_response_ok();
        result.note(out[&request].first, now, out[&request].second);
        out.erase(&request);
        request.release(); /* the target still holds it */
        switch (answer % 3) {
        case 0:
            answer++;
            phase = tlm::END_RESP;
            return tlm::TLM_UPDATED;
        case 1:
            answer++;
            return tlm::TLM_COMPLETED;
        default:
            responding = &request;
            go.notify(sc_core::SC_ZERO_TIME);
            return tlm::TLM_ACCEPTED;
        }
    }

  private:
    bool waiting = false;
};

/* ---- blocking ---- */
struct blocking : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<blocking> socket{"socket"};
    std::vector<access> all;
    std::size_t next = 0;
    unsigned burst;
    measured result;
    blocking(const sc_core::sc_module_name &name, std::vector<access> accesses, unsigned burst_bytes)
        : sc_core::sc_module(name), all(std::move(accesses)), burst(burst_bytes)
    {
        for (int i = 0; i < 16; i++)
            sc_core::sc_spawn([this] { work(); });
    }
    void work()
    {
        std::vector<unsigned char> data(burst);
        payload request;
        while (next < all.size()) {
            const access mine = all[next++];
            fill(request, mine.address, mine.write, data.data(), burst);
            const double begin = ps(sc_time_stamp());
            sc_time delay = sc_core::SC_ZERO_TIME;
            socket->b_transport(request, delay);
            sc_core::wait(delay);
            result.note(begin, ps(sc_time_stamp()), mine.write);
        }
    }
};

/* ---- corners ---- */
struct corners : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<corners> socket{"socket"};
    const systole_dram_info &info;
    int failed = 0;
    keeper pool;

    corners(const sc_core::sc_module_name &name, const systole_dram_info &facts) : sc_core::sc_module(name), info(facts)
    {
        socket.register_nb_transport_bw(this, &corners::bw);
        sc_core::sc_spawn([this] { check(); });
    }
    void promise(const char *text, bool holds)
    {
        std::printf("%s - %s\n", holds ? "ok" : "not ok", text);
        failed += !holds;
    }
    tlm::tlm_sync_enum bw(payload &, tlm::tlm_phase &phase, sc_time &)
    {
        seen.push_back({static_cast<unsigned>(phase), ps(sc_time_stamp())});
        changed.notify();
        return phase == tlm::BEGIN_RESP ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
    }
    tlm::tlm_response_status answer(payload &request)
    {
        sc_time delay = sc_core::SC_ZERO_TIME;
        const sc_time before = sc_time_stamp();
        request.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        socket->b_transport(request, delay);
        took = ps(sc_time_stamp() - before + delay);
        return request.get_response_status();
    }
    void check_errors()
    {
        unsigned char data[64] = {}, enables[2] = {0xff, 0};
        payload request;
        fill(request, info.capacity_bytes - 64, false, data, 64);
        promise("the last burst of the capacity is there", answer(request) == tlm::TLM_OK_RESPONSE && took > 0);
        request.set_address(info.capacity_bytes - 63);
        promise("one byte beyond it is an address error, in no time",
                answer(request) == tlm::TLM_ADDRESS_ERROR_RESPONSE && took <= 0);
        fill(request, 0, false, data, 64);
        request.set_streaming_width(4);
        promise("a fixed address is a burst error", answer(request) == tlm::TLM_BURST_ERROR_RESPONSE);
        fill(request, 0, false, data, 0);
        promise("no data is a burst error", answer(request) == tlm::TLM_BURST_ERROR_RESPONSE);
        fill(request, 0, false, nullptr, 64);
        promise("no data pointer is a generic error", answer(request) == tlm::TLM_GENERIC_ERROR_RESPONSE);
        fill(request, 0, true, data, 64);
        request.set_byte_enable_ptr(enables);
        promise("enables of no length are a byte enable error", answer(request) == tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
        fill(request, 0, true, data, 64);
        request.set_command(static_cast<tlm::tlm_command>(3));
        promise("an unknown command is a command error", answer(request) == tlm::TLM_COMMAND_ERROR_RESPONSE);
        request.set_command(tlm::TLM_IGNORE_COMMAND);
        promise("ignore is OK, in no time", answer(request) == tlm::TLM_OK_RESPONSE && took <= 0);
    }
    void check_data()
    {
        unsigned char data[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8] = {}, enables[2] = {0xff, 0};
        payload request;
        fill(request, 4092, true, data, 8); /* over the end of a page */
        (void)answer(request);
        data[0] = 90, data[1] = 91, data[2] = 92, data[3] = 93;
        request.set_data_length(4);
        request.set_streaming_width(4);
        request.set_byte_enable_ptr(enables);
        request.set_byte_enable_length(2);
        promise("byte enables are taken", answer(request) == tlm::TLM_OK_RESPONSE);
        fill(request, 4092, false, back, 8);
        (void)answer(request);
        const unsigned char expected[8] = {90, 2, 92, 4, 5, 6, 7, 8};
        promise("what was written and enabled is read", !std::memcmp(back, expected, 8));
        fill(request, 4094, false, back, 4);
        promise("debug transport reads it, in no time",
                socket->transport_dbg(request) == 4 && !std::memcmp(back, expected + 2, 4));
    }
    void check_delay()
    {
        unsigned char data[64];
        payload request;
        sc_core::wait(sc_time(50, sc_core::SC_NS)); /* the write has gone by */
        fill(request, 1 << 20, false, data, 64);
        sc_time delay(777, sc_core::SC_NS);
        const sc_time before = sc_time_stamp();
        socket->b_transport(request, delay);
        const double whole = ps(sc_time_stamp() - before + delay),
                     least = 777e3 + static_cast<double>(info.idle_read_ps);
        const double clock = static_cast<double>(info.clock_fs) / 1000;
        /* a row may have to close first: at most tRP more, and a clock for the edge */
        promise("an annotated delay passes before the request", whole >= least - 1 && whole < least + 40 * clock);
    }
    void check_nb()
    {
        unsigned char data[64];
        payload *const request = pool.take();
        request->acquire();
        fill(*request, info.capacity_bytes, false, data, 64);
        tlm::tlm_phase phase = tlm::BEGIN_REQ;
        sc_time delay = sc_core::SC_ZERO_TIME;
        promise("a wrong request is completed at once",
                socket->nb_transport_fw(*request, phase, delay) == tlm::TLM_COMPLETED &&
                    request->get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE);
        fill(*request, 2 << 20, false, data, 64);
        phase = tlm::BEGIN_REQ;
        delay = sc_time(300, sc_core::SC_NS);
        const double begin = ps(sc_time_stamp()), clock = static_cast<double>(info.clock_fs) / 1000;
        (void)socket->nb_transport_fw(*request, phase, delay);
        bool refused = false;
        payload *const second = pool.take();
        second->acquire();
        try {
            fill(*second, 0, false, data, 64);
            phase = tlm::BEGIN_REQ;
            delay = sc_core::SC_ZERO_TIME;
            (void)socket->nb_transport_fw(*second, phase, delay);
        } catch (const sc_core::sc_report &) {
            refused = true;
        }
        second->release();
        promise("a second BEGIN_REQ before END_REQ is an error", refused);
        while (seen.size() < 2)
            sc_core::wait(changed);
        promise("END_REQ comes at the edge after the annotated time", seen[0].first == tlm::END_REQ &&
                                                                          seen[0].second >= begin + 300e3 - 1 &&
                                                                          seen[0].second < begin + 300e3 + clock);
        promise("BEGIN_RESP comes with the data",
                seen[1].first == tlm::BEGIN_RESP &&
                    seen[1].second >= seen[0].second + static_cast<double>(info.idle_read_ps) - 1);
        request->release();
    }
    void check()
    {
        check_errors();
        check_data();
        check_delay();
        check_nb();
    }

  private:
    double took = 0;
    std::vector<std::pair<unsigned, double>> seen;
    sc_core::sc_event changed;
};

int usage()
{
    std::fprintf(stderr, "usage: host_dram DEVICE PATTERN REQUESTS nb|b, or host_dram DEVICE check\n");
    return 2;
}

} // namespace

int sc_main(int argc, char **argv)
{
    if (argc != 3 && argc != 5)
        return usage();
    systole::tlm_dram<> memory("memory", where(), what(argv[1]));
    const unsigned burst = static_cast<unsigned>(memory.info().burst_bytes);
    if (argc == 3) {
        corners initiator("initiator", memory.info());
        initiator.socket.bind(memory.socket);
        sc_core::sc_start();
        return initiator.failed != 0;
    }
    const std::vector<access> all = make(argv[2], std::strtoull(argv[3], nullptr, 10), burst);
    if (std::strcmp(argv[4], "nb") == 0) {
        phased initiator("initiator", all, burst);
        initiator.socket.bind(memory.socket);
        sc_core::sc_start();
        initiator.result.print("nb");
        return !initiator.ordered || initiator.result.done != all.size();
    }
    blocking initiator("initiator", all, burst);
    initiator.socket.bind(memory.socket);
    sc_core::sc_start();
    initiator.result.print("b");
    return initiator.result.done != all.size();
}
