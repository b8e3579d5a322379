/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a request trace (`systole run --dram-trace`) in DRAMsim3: dram_layers CONFIG.ini TRACE prints the clocks it
 * took, the requests, and the reads. Linked against a DRAMsim3 of the user's; `make dram-layers` builds it.
 *
 * One FIFO stands before the memory. In every clock it offers the requests whose clock has come until one is refused,
 * then the controller ticks once. The time is one more than the clock of the last read's callback or of the last
 * write's acceptance. Requests carry the clock from which the engine offered them.
 */
#include <dramsim3.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace
{

struct request {
    std::uint64_t address, clock;
    bool write;
};

int fail(const char *what, const std::string &where)
{
    std::fprintf(stderr, "dram_layers: %s: %s\n", what, where.c_str());
    return 1;
}

bool read_trace(const char *path, std::vector<request> *all)
{
    std::ifstream file(path);
    std::string address, command;
    std::uint64_t clock;
    while (file >> address >> command >> clock) {
        if (command != "READ" && command != "WRITE")
            return false;
        all->push_back({std::strtoull(address.c_str(), nullptr, 16), clock, command == "WRITE"});
    }
    return file.eof() && !all->empty();
}

} // namespace

int main(int argc, char **argv)
{
    std::vector<request> all;
    std::uint64_t clock = 0, last = 0, reads = 0, back = 0;
    if (argc != 3)
        return fail("usage", "dram_layers CONFIG.ini TRACE");
    if (!std::ifstream(argv[1]))
        return fail("cannot read", argv[1]);
    if (!read_trace(argv[2], &all))
        return fail("not a request trace", argv[2]);
    const auto on_read = [&](std::uint64_t) {
        back++;
        last = std::max(last, clock);
    };
    dramsim3::MemorySystem *memory = dramsim3::GetMemorySystem(argv[1], ".", on_read, [](std::uint64_t) {});
    /* It has been seen to stop answering; no layer here takes a thousand clocks a request. */
    const std::uint64_t most = all.back().clock + 1000 * all.size() + 1000000;
    for (std::size_t next = 0; next < all.size() || back < reads; clock++) {
        if (clock > most)
            return fail("DRAMsim3 does not answer any more", argv[2]);
        for (; next < all.size() && all[next].clock <= clock; next++) {
            if (!memory->WillAcceptTransaction(all[next].address, all[next].write))
                break;
            memory->AddTransaction(all[next].address, all[next].write);
            reads += !all[next].write;
            last = all[next].write ? std::max(last, clock) : last;
        }
        memory->ClockTick();
    }
    std::printf("%" PRIu64 " %zu %" PRIu64 "\n", last + 1, all.size(), reads);
    delete memory;
    return 0;
}
