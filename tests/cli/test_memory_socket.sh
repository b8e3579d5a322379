#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our DRAM bound as a TLM-2.0 target into a SystemC model of the user's (systole_tlm_dram.hpp): tests/tlm/host_dram.cpp
# is such a model, built with SystemC and the shared library; tests/tlm/dram.cpp brings it back as a memory target.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
export SYSTOLE_DATA=$root SC_COPYRIGHT_MESSAGE=DISABLE
built=$(dirname "$systole")/tests/tlm
host=$built/host_dram

"$host" ddr4-2400-dramsim3 check >corners 2>&1
status_of_check=$?
while read -r line; do
    expect "the target: ${line#*- }" test "${line%% - *}" = ok
done < <(grep -E '^(not )?ok - ' corners)
expect "all of its corners were looked at" test "$status_of_check" = 0 -a "$(grep -c '^ok' corners)" = 16
expect "a device that is not there is a SystemC error with our message" \
    bash -c "! '$host' nothere check >out 2>&1 && grep -q nothere out"

# The host makes the addresses of a pattern by its own formulas and measures on its side of the socket.
same_as_pattern() { # same_as_pattern DEVICE PATTERN
    "$host" "$1" "$2" 2000 nb >tlm.json &&
        call run -a gemmini -w "pattern:$2,requests=2000" --memory burst --set "memory.dram.device=$1" -f json &&
        python3 - <<'PY'
import json, sys
tlm, ours = json.load(open("tlm.json")), json.load(open("out"))
t, clock = ours["totals"], ours["clock_ns"] * 1000
pairs = [(tlm["done"], t["requests"]), (tlm["end_ps"], (t["clocks"] - 1) * clock),
         (tlm["read_latency_mean_ps"], t["read_latency_mean_ns"] * 1000 if t["reads"] else 0),
         (tlm["read_latency_max_ps"], t["read_latency_max_ns"] * 1000 if t["reads"] else 0)]
sys.exit(any(abs(a - b) > 1 for a, b in pairs) and print("#", pairs) is None)
PY
}
for device in ddr4-2400-dramsim3 ddr4-3200-ramulator2 hbm2-dramsim3; do
    for pattern in seq_rd seq_wr mix3 stride:16384:256; do
        expect "four phases take the times of --memory burst, to the ps: $device $pattern" same_as_pattern "$device" "$pattern"
    done
done
"$host" ddr4-2400-dramsim3 seq_rd 4000 b >b.json && "$host" ddr4-2400-dramsim3 seq_rd 4000 nb >nb.json
expect "16 blocking threads saturate a sequential read as well (within 1%)" \
    python3 -c 'import json; a, b = (json.load(open(f))["end_ps"] for f in ("b.json", "nb.json")); assert abs(a / b - 1) < 0.01'

# Round trip: Systole, our memory socket, our DRAM behind it. The engine cannot wait for the answer, so every
# completion is a forecast; the chip's level is the device itself (peak bandwidth, latency of an idle read).
round_trip() { # round_trip DEVICE CLOCK_NS IDLE_CLOCKS WORKLOAD CYCLES_PERCENT LOAD_PERCENT
    local sets=(--set "memory.dram.device=$1" --set core.dma.outstanding_requests=unlimited --set core.dma.bandwidth=unlimited
        --set "memory.dram.bandwidth=$(python3 -c "print(64 / (4 * $2e-9))")B/s"
        --set "memory.dram.latency=$(python3 -c "print($3 * $2)")ns")
    call run -a gemmini -w "$4" "${sets[@]}" --memory burst -f json && cp out alone.json &&
        call run -a gemmini -w "$4" "${sets[@]}" --memory "tlm:$built/libdram.so,$1" -f json && cp out back.json &&
        python3 - "$5" "$6" <<'PY'
import json, sys
alone, back = (json.load(open(f + ".json")) for f in ("alone", "back"))
figures = [(r["totals"]["cycles"], r["units"]["load.dram>scratchpad"]["busy"]) for r in (alone, back)]
bytes_of = [[(d["read_bytes"], d["write_bytes"]) for d in r["dram"]] for r in (alone, back)]
off = [abs(b / a - 1) * 100 for a, b in zip(*figures)]
print("#", figures, off)
sys.exit(bytes_of[0] != bytes_of[1] or off[0] > float(sys.argv[1]) or off[1] > float(sys.argv[2]))
PY
}
printf 'systole-trace 1\ngemm l m=16 k=4096 n=64 a=x:int8 b=w:int8:weight y=y:int8\nend 1\n' >one.slt
expect "round trip, a layer that waits for memory: load time within 1.5%, cycles within 3%" \
    round_trip ddr4-2400-dramsim3 0.83 39 one.slt 3 1.5
expect "... on the other controller" round_trip ddr4-2400-ramulator2 0.833 38 one.slt 3 1

# The example of the page, as a user would type it.
awk '/^```c\+\+$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/docs/extending.md" >model.cpp
case $(basename "$(dirname "$systole")") in release | debug) # the others need their runtimes linked too
    expect "the page's model builds with SystemC and the library, and reads what it wrote" bash -c \
        "\${CXX:-c++} -std=c++17 -Wall -Wextra -Werror -I'$root/sim/kernel' -I'$root/sim/include' model.cpp -o model -L'$(dirname "$systole")' -lsystole -lsystemc &&
         LD_LIBRARY_PATH='$(dirname "$systole")' ./model >out && grep -q '^line 1 2 3 at' out"
    ;;
esac
finish
