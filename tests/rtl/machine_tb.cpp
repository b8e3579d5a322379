// SPDX-License-Identifier: Apache-2.0
/*
 * Testbench of the composed machine (machine.sv): draws a random GEMM, tiling and machine, writes the schedule as the
 * commands of a layer trace, runs them, compares the products in memory with a plain GEMM and prints a CSV row with
 * the cycle at which each command started, had read its operands and was done.
 *
 *   machine_tb [FIRST_SEED RUNS]     rows and columns are the build's
 *   machine_tb -header               the header
 */
#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <Vmachine.h>
#include <verilated.h>

#ifndef MACHINE_STATIONARY_WEIGHTS
#error "MACHINE_ROWS, MACHINE_COLS and MACHINE_STATIONARY_WEIGHTS come from the build"
#endif

namespace
{

enum { SLOTS = 4, SLOT_BYTES = 4096, ARRAY = 0, VECTOR, LOAD0, LOAD1, LOAD_C, STORE_C, ENGINES = 4 };

uint64_t state;
unsigned draw(unsigned low, unsigned high)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return low + static_cast<unsigned>(state % (high - low + 1));
}

struct Machine {
    unsigned queue_depth, overhead, latency, burst, mode, bytes, cap, gap, engines, lanes, startup, shift;
    bool vector;
};

struct Dependency {
    size_t id;
    bool streamed;
    const char *stall;
};

struct Command {
    enum Kind { LOAD, STORE, MATMUL, VECTOR_OP } kind;
    unsigned unit = 0, operand = 0, slot = 0, a_slot = 0, b_slot = 0, m = 0, k = 0, n = 0, elements = 0;
    unsigned rows = 0, row_bytes = 0, pitch = 0, address = 0;
    bool accumulate = false;
    std::vector<Dependency> after;
    void depend(long id, bool streamed, const char *stall)
    {
        if (id >= 0)
            after.push_back({static_cast<size_t>(id), streamed, stall});
    }
};

/* The problem and where it lies. C is int8 when the vector unit converts, else int32; partial sums have their own
 * place. */
struct Problem {
    unsigned m, k, n, tile_m, tile_k, tile_n, slots[3];
    char order[4];
    bool packed_b;
    unsigned a_at, b_at, c_at, sums_at, end;
    const char *scenario;
};

/* ---- the schedule: the tile loops, with buffers used in turn ---- */

struct Buffer {
    long tile = -1, filled_by = -1, read_by = -1;
};

class Scheduler
{
  public:
    Scheduler(const Problem &problem, const Machine &machine) : p(problem), machine(machine) {}

    std::vector<Command> make()
    {
        unsigned trips[3] = {ceil_div(p.m, p.tile_m), ceil_div(p.n, p.tile_n), ceil_div(p.k, p.tile_k)};
        unsigned at[3];
        steps_k = trips[2];
        stored.assign(trips[0] * trips[1], -1);
        for (at[loop(0)] = 0; at[loop(0)] < trips[loop(0)]; at[loop(0)]++)
            for (at[loop(1)] = 0; at[loop(1)] < trips[loop(1)]; at[loop(1)]++)
                for (at[loop(2)] = 0; at[loop(2)] < trips[loop(2)]; at[loop(2)]++)
                    step(at[0], at[1], at[2], trips);
        close_c();
        return commands;
    }

  private:
    const Problem &p;
    const Machine &machine;
    std::vector<Command> commands;
    Buffer a[SLOTS], b[SLOTS];
    struct {
        long tile = -1, freed_by = -1, matmul = -1, load = -1;
        unsigned m = 0, n = 0, k = 0;
    } c[SLOTS];
    int current[3] = {-1, -1, -1};
    unsigned steps_k = 0;
    std::vector<long> stored; /* by C tile: who stored its partial sum */

    static unsigned ceil_div(unsigned x, unsigned y) { return (x + y - 1) / y; }
    int loop(int depth) const { return p.order[depth] == 'm' ? 0 : p.order[depth] == 'n' ? 1 : 2; }
    static unsigned part(unsigned size, unsigned tile, unsigned index) { return std::min(tile, size - index * tile); }

    void load(Buffer *buffers, unsigned operand, long tile, unsigned rows, unsigned row_bytes, unsigned pitch,
              unsigned address)
    {
        if (current[operand] >= 0 && buffers[current[operand]].tile == tile)
            return;
        current[operand] = (current[operand] + 1) % static_cast<int>(p.slots[operand]);
        Buffer &buffer = buffers[current[operand]];
        Command command{Command::LOAD};
        command.unit = operand == 1 && machine.engines > 1 ? LOAD1 : LOAD0;
        command.operand = operand;
        command.slot = static_cast<unsigned>(current[operand]);
        command.rows = rows;
        command.row_bytes = row_bytes;
        command.pitch = pitch;
        command.address = address;
        command.depend(buffer.read_by, true, "buffer_full");
        buffer.tile = tile;
        buffer.filled_by = static_cast<long>(commands.size());
        commands.push_back(command);
    }

    void move_c(Command &command, unsigned m, unsigned n, bool partial)
    {
        unsigned rows = part(p.m, p.tile_m, m), cols = part(p.n, p.tile_n, n);
        unsigned width = partial || !machine.vector ? 4 : 1;
        command.operand = width == 4 ? 2 : 3;
        command.rows = rows;
        command.row_bytes = cols * width;
        command.pitch = p.n * width;
        command.address = (partial ? p.sums_at : p.c_at) + (m * p.tile_m * p.n + n * p.tile_n) * width;
    }

    /* The tile of C in use is left: convert and store it, or store its partial sums. */
    void close_c()
    {
        if (current[2] < 0)
            return;
        auto &slot = c[current[2]];
        bool partial = slot.k + 1 < steps_k;
        long last = slot.matmul;
        if (!partial && machine.vector) {
            Command convert{Command::VECTOR_OP};
            convert.unit = VECTOR;
            convert.slot = static_cast<unsigned>(current[2]);
            convert.elements = part(p.m, p.tile_m, slot.m) * part(p.n, p.tile_n, slot.n);
            convert.depend(last, false, "dependency");
            last = static_cast<long>(commands.size());
            commands.push_back(convert);
        }
        Command store{Command::STORE};
        store.unit = STORE_C;
        store.slot = static_cast<unsigned>(current[2]);
        move_c(store, slot.m, slot.n, partial);
        store.depend(last, false, "dependency");
        slot.freed_by = static_cast<long>(commands.size());
        if (partial)
            stored[slot.m * ceil_div(p.n, p.tile_n) + slot.n] = slot.freed_by;
        commands.push_back(store);
    }

    void open_c(unsigned m, unsigned n, unsigned k, const unsigned trips[3])
    {
        long tile = static_cast<long>(m * trips[1] + n);
        if (current[2] >= 0 && c[current[2]].tile == tile) {
            c[current[2]].k = k;
            return;
        }
        close_c();
        current[2] = (current[2] + 1) % static_cast<int>(p.slots[2]);
        auto &slot = c[current[2]];
        slot.tile = tile;
        slot.m = m;
        slot.n = n;
        slot.k = k;
        slot.load = -1;
        if (k == 0)
            return;
        Command back{Command::LOAD};
        back.unit = LOAD_C;
        back.slot = static_cast<unsigned>(current[2]);
        move_c(back, m, n, true);
        back.depend(slot.freed_by, false, "buffer_full");
        back.depend(stored[static_cast<size_t>(tile)], false, "dependency");
        slot.load = static_cast<long>(commands.size());
        commands.push_back(back);
    }

    void step(unsigned m, unsigned n, unsigned k, const unsigned trips[3])
    {
        unsigned tm = part(p.m, p.tile_m, m), tn = part(p.n, p.tile_n, n), tk = part(p.k, p.tile_k, k);
        load(a, 0, static_cast<long>(m * trips[2] + k), tm, tk, p.k, p.a_at + m * p.tile_m * p.k + k * p.tile_k);
        if (p.packed_b) /* tile by tile: those of earlier k steps are whole rows of B */
            load(b, 1, static_cast<long>(n * trips[2] + k), 1, tk * tn, tk * tn,
                 p.b_at + k * p.tile_k * p.n + n * p.tile_n * tk);
        else
            load(b, 1, static_cast<long>(n * trips[2] + k), tk, tn, p.n, p.b_at + k * p.tile_k * p.n + n * p.tile_n);
        bool fresh = current[2] < 0 || c[current[2]].tile != static_cast<long>(m * trips[1] + n);
        open_c(m, n, k, trips);
        auto &slot = c[current[2]];
        Command matmul{Command::MATMUL};
        matmul.unit = ARRAY;
        matmul.slot = static_cast<unsigned>(current[2]);
        matmul.a_slot = static_cast<unsigned>(current[0]);
        matmul.b_slot = static_cast<unsigned>(current[1]);
        matmul.m = tm;
        matmul.k = tk;
        matmul.n = tn;
        matmul.accumulate = k > 0;
        matmul.depend(a[current[0]].filled_by, false, "load_a");
        matmul.depend(b[current[1]].filled_by, false, "load_b");
        if (fresh && slot.load < 0)
            matmul.depend(slot.freed_by, false, "accumulator");
        if (fresh)
            matmul.depend(slot.load, false, "load_c");
        slot.matmul = a[current[0]].read_by = b[current[1]].read_by = static_cast<long>(commands.size());
        commands.push_back(matmul);
    }
};

/* The schedule as records of a layer trace (docs/formats.md 1.5). Levels: 0 accumulator, 1 scratchpad, 2 memory. */
std::string trace_of(const std::vector<Command> &commands)
{
    std::string text;
    char line[256];
    for (size_t id = 0; id < commands.size(); id++) {
        const Command &c = commands[id];
        if (id)
            text += ';';
        switch (c.kind) {
        case Command::LOAD:
        case Command::STORE:
            snprintf(line, sizeof line, "%s %c level=%d parent=2 rows=%u bytes=%u pitch=%u at=%u",
                     c.kind == Command::LOAD ? "load" : "store", "ABCC"[c.operand], c.operand < 2, c.rows, c.row_bytes,
                     c.pitch, c.address);
            break;
        case Command::MATMUL:
            snprintf(line, sizeof line, "matmul m=%u k=%u n=%u%s", c.m, c.k, c.n, c.accumulate ? " acc=1" : "");
            break;
        case Command::VECTOR_OP:
            snprintf(line, sizeof line, "vector n=%u simple=%u in=%u out=%u", c.elements, c.elements, 4 * c.elements,
                     c.elements);
            break;
        }
        text += line;
        for (const Dependency &d : c.after) {
            snprintf(line, sizeof line, " <%zu%s.%s", id - d.id, d.streamed ? "s" : "", d.stall);
            text += line;
        }
    }
    return text;
}

/* ---- random cases ---- */

void draw_tiles(Problem &p)
{
    const unsigned rows = MACHINE_ROWS, cols = MACHINE_COLS;
    bool ragged = !strcmp(p.scenario, "ragged");
    do {
        unsigned most = !strcmp(p.scenario, "single") ? 1 : 3;
        p.tile_m = ragged ? draw(1, 3 * rows) : rows * draw(1, 3);
        p.tile_k = ragged ? draw(1, 2 * rows) : rows * draw(1, 2);
        p.tile_n = ragged ? draw(1, 2 * cols) : cols * draw(1, 2);
        p.m = p.tile_m * draw(1, most);
        p.k = p.tile_k * draw(1, most);
        p.n = p.tile_n * draw(1, most);
        if (ragged) {
            p.m -= draw(0, p.tile_m - 1);
            p.k -= draw(0, p.tile_k - 1);
            p.n -= draw(0, p.tile_n - 1);
        }
    } while (p.tile_m * p.tile_k > SLOT_BYTES || p.tile_k * p.tile_n > SLOT_BYTES || p.tile_m * p.tile_n > SLOT_BYTES ||
             p.m * p.n > 8192 || p.m * p.k > 16384 || p.k * p.n > 16384);
    const char *orders[6] = {"mnk", "nmk", "mkn", "nkm", "kmn", "knm"};
    strcpy(p.order, orders[draw(0, 5)]);
}

void place(Problem &p)
{
    p.packed_b = draw(0, 1);
    p.a_at = draw(0, 70);
    p.b_at = p.a_at + p.m * p.k + draw(0, 70);
    p.c_at = p.b_at + p.k * p.n + 64 + draw(0, 70); /* whole bursts may be written, masked, beside C */
    p.sums_at = p.c_at + 4 * p.m * p.n + draw(0, 70);
    p.end = p.sums_at + 4 * p.m * p.n + 64;
}

Machine draw_machine(const Problem &p)
{
    Machine m{};
    bool spills = p.k > p.tile_k && p.order[2] != 'k';
    bool starved = !strcmp(p.scenario, "starved"), pressed = !strcmp(p.scenario, "back_pressured");
    m.queue_depth = draw(0, 1) ? draw(1, 4) : draw(5, 64);
    m.overhead = draw(1, starved ? 40 : 8);
    m.latency = draw(0, starved ? 120 : 30);
    m.engines = draw(1, 2);
    /* At most two engines share a bus, so that equal parts are whole bytes. */
    m.mode = spills ? (m.engines == 2 ? 1 : draw(1, 2)) : m.engines == 2 ? draw(1, 2) : draw(0, 2);
    m.bytes = 1u << draw(1, starved ? 2 : 4);
    m.burst = 1u << draw(0, 6);
    m.gap = 1;
    m.cap = 1u << 20;
    if (draw(0, 3) == 0 && m.bytes >= 4)
        m.cap = m.bytes / 2 / (1u << draw(0, 1));
    if (m.mode == 1 && draw(0, 2) == 0) { /* whole bursts, one every gap periods */
        m.gap = 1u << draw(1, 3);
        m.bytes = std::max(m.bytes, m.gap);
        m.burst = m.bytes;
        m.cap = 1u << 20;
    }
    m.vector = pressed ? draw(0, 3) == 0 : draw(0, 1);
    m.lanes = pressed ? draw(1, 2) : draw(1, 16);
    m.startup = draw(0, 12);
    m.shift = draw(0, 9);
    return m;
}

/* ---- the run ---- */

class Bench
{
  public:
    Bench() : top(new Vmachine) {}
    ~Bench() { delete top; }

    void run(const Problem &p, const Machine &m, const std::vector<Command> &commands, uint64_t seed)
    {
        top->run = top->start = top->write_memory = top->write_program = 0;
        top->queue_depth = m.queue_depth;
        top->overhead = m.overhead;
        top->latency = m.latency;
        top->burst = m.burst;
        top->memory_mode = m.mode;
        top->memory_bytes = m.bytes;
        top->engine_cap = m.cap;
        top->memory_gap = m.gap;
        top->vector_startup = m.startup;
        top->vector_lanes = m.lanes;
        top->vector_shift = m.shift;
        top->stationary_weights = MACHINE_STATIONARY_WEIGHTS;
        top->commands = static_cast<unsigned>(commands.size());
        load_operands(p);
        load_program(commands);
        tick();
        top->start = 1;
        tick();
        top->start = 0;
        top->run = 1;
        top->eval();
        for (uint64_t limit = 0; !top->finished; limit++) {
            if (limit == 2000000)
                fail(seed, "the machine does not finish");
            tick();
        }
        check(p, m, seed);
    }

    /* Stop the machine after its results were read. */
    void stop()
    {
        top->run = 0;
        tick();
        tick();
    }

    unsigned start_of(size_t id) { return select(id), top->read_start; }
    unsigned streamed_of(size_t id) { return select(id), top->read_streamed; }
    unsigned done_of(size_t id) { return select(id), top->read_done; }
    unsigned busy_array() const { return top->busy_array; }
    unsigned busy_vector() const { return top->busy_vector; }
    unsigned busy_engine(int e) const { return top->busy_engine[e]; }

  private:
    Vmachine *top;
    std::vector<int8_t> a, b;

    void tick()
    {
        top->clk = 0;
        top->eval();
        top->clk = 1;
        top->eval();
    }
    void select(size_t address)
    {
        top->access_address = static_cast<unsigned>(address);
        top->eval();
    }
    [[noreturn]] static void fail(uint64_t seed, const char *what)
    {
        fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, what);
        exit(1);
    }

    void load_operands(const Problem &p)
    {
        /* Up to C: what lies behind it is written before it is read, and holds the results of the run before. */
        std::vector<uint8_t> image((p.c_at + 3) & ~3u);
        for (uint8_t &byte : image)
            byte = static_cast<uint8_t>(draw(0, 255));
        a.resize(p.m * p.k);
        b.resize(p.k * p.n);
        for (int8_t &x : a)
            x = static_cast<int8_t>(draw(0, 255));
        for (int8_t &x : b)
            x = static_cast<int8_t>(draw(0, 255));
        memcpy(&image[p.a_at], a.data(), a.size());
        for (unsigned k = 0; k < p.k; k++)
            for (unsigned n = 0; n < p.n; n++) {
                unsigned k0 = k / p.tile_k * p.tile_k, n0 = n / p.tile_n * p.tile_n;
                unsigned tk = std::min(p.tile_k, p.k - k0), tn = std::min(p.tile_n, p.n - n0);
                unsigned at = p.packed_b ? k0 * p.n + n0 * tk + (k - k0) * tn + (n - n0) : k * p.n + n;
                image[p.b_at + at] = static_cast<uint8_t>(b[k * p.n + n]);
            }
        top->write_memory = 1;
        for (unsigned at = 0; at < image.size(); at += 4) {
            top->access_address = at;
            memcpy(&top->access_data, &image[at], 4);
            tick();
        }
        top->write_memory = 0;
    }

    void load_program(const std::vector<Command> &commands)
    {
        top->write_program = 1;
        for (size_t id = 0; id < commands.size(); id++) {
            const Command &c = commands[id];
            uint32_t word[16] = {0};
            word[0] = c.unit << 4 | static_cast<uint32_t>(c.after.size()) << 8 | (c.accumulate ? 1u : 0u) << 12 |
                      c.slot << 16 | c.a_slot << 20 | c.b_slot << 24 | c.operand << 28;
            word[1] = c.k << 16 | c.m;
            word[2] = c.n;
            word[3] = c.row_bytes << 16 | c.rows;
            word[4] = c.pitch;
            word[5] = c.address;
            word[6] = c.elements;
            for (size_t i = 0; i < c.after.size(); i++) {
                const Dependency &d = c.after[i];
                bool preload = !strcmp(d.stall, "load_b");
                word[8 + i] = static_cast<uint32_t>(d.id) | (d.streamed ? 1u : 0u) << 16 | (preload ? 0u : 1u) << 17;
            }
            for (unsigned i = 0; i < 16; i++) {
                top->access_address = static_cast<unsigned>(id) << 4 | i;
                top->access_data = word[i];
                tick();
            }
        }
        top->write_program = 0;
    }

    uint8_t byte_at(unsigned address)
    {
        select(address);
        return static_cast<uint8_t>(top->read_memory);
    }

    void check(const Problem &p, const Machine &machine, uint64_t seed)
    {
        for (unsigned m = 0; m < p.m; m++)
            for (unsigned n = 0; n < p.n; n++) {
                int32_t sum = 0, got = 0;
                for (unsigned k = 0; k < p.k; k++)
                    sum += a[m * p.k + k] * b[k * p.n + n];
                if (machine.vector) {
                    sum = std::max(-128, std::min(127, sum >> machine.shift));
                    got = static_cast<int8_t>(byte_at(p.c_at + m * p.n + n));
                } else {
                    for (unsigned i = 0; i < 4; i++)
                        got |= static_cast<int32_t>(static_cast<uint32_t>(byte_at(p.c_at + 4 * (m * p.n + n) + i))
                                                    << 8 * i);
                }
                if (got != sum) {
                    fprintf(stderr, "C[%u][%u] is %d, expected %d\n", m, n, got, sum);
                    fail(seed, "wrong product");
                }
            }
    }
};

void print_list(Bench &bench, size_t count, unsigned (Bench::*of)(size_t))
{
    for (size_t id = 0; id < count; id++)
        printf("%s%u", id ? " " : ",", (bench.*of)(id));
}

void run_case(Bench &bench, uint64_t seed)
{
    static const char *const scenarios[] = {"single", "tiles", "ragged", "starved", "back_pressured"};
    state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    for (int i = 0; i < 8; i++)
        (void)draw(0, 1);
    Problem p{};
    p.scenario = scenarios[seed % 5];
    draw_tiles(p);
    place(p);
    for (unsigned &slots : p.slots)
        slots = draw(1, 3);
    if (!strcmp(p.scenario, "back_pressured"))
        p.slots[2] = 1;
    Machine m = draw_machine(p);
    std::vector<Command> commands = Scheduler(p, m).make();
    bench.run(p, m, commands, seed);
    unsigned end = 0;
    for (size_t id = 0; id < commands.size(); id++)
        end = std::max(end, bench.done_of(id));
    printf("%s,%s,%d,%d,%u,%u,%u,%" PRIu64 ",%u,%u,%u,%u,%s,%u,%u,%u,%u,%u,%u", p.scenario,
           MACHINE_STATIONARY_WEIGHTS ? "ws" : "os", MACHINE_ROWS, MACHINE_COLS, p.m, p.k, p.n, seed, m.queue_depth,
           m.overhead, m.latency, m.burst,
           m.mode == 0   ? "bus"
           : m.mode == 1 ? "ports"
                         : "channels",
           m.bytes, m.gap, m.cap >= 1u << 20 ? 0 : m.cap, m.engines, m.startup, m.lanes);
    printf(",%u,%u,%u,%u,%u,%u,%u,%s", end, bench.busy_array(), bench.busy_vector(), bench.busy_engine(0),
           bench.busy_engine(1), bench.busy_engine(2), bench.busy_engine(3), trace_of(commands).c_str());
    print_list(bench, commands.size(), &Bench::start_of);
    print_list(bench, commands.size(), &Bench::streamed_of);
    print_list(bench, commands.size(), &Bench::done_of);
    printf("\n");
    bench.stop();
}

} // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "-header")) {
        puts("scenario,dataflow,rows,cols,m,k,n,seed,queue_depth,overhead,latency,burst,memory,bytes,gap,engine_bytes,"
             "engines,vector_startup,vector_lanes,cycles,busy_array,busy_vector,busy_load0,busy_load1,busy_load_c,"
             "busy_store,commands,start,streamed,done");
        return 0;
    }
    uint64_t first = argc > 1 ? strtoull(argv[1], nullptr, 10) : 1,
             runs = argc > 2 ? strtoull(argv[2], nullptr, 10) : 1;
    Bench bench;
    for (uint64_t i = 0; i < runs; i++)
        run_case(bench, first + i);
    return 0;
}
