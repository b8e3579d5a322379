#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A memory target of the user's takes the place of the DRAM model (--memory tlm:FILE.so[,ARGUMENT]). The targets are
# tests/tlm/*.cpp, built with SystemC alone.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
targets=$(dirname "$systole")/tests/tlm
ideal=$targets/libideal.so
faulty=$targets/libfaulty.so

figures() { # of a run: what a target must not change when it is as fast as the level
    call run -f json "$@" && python3 -c '
import json
r = json.load(open("out"))
print(r["totals"]["cycles"], [(d["name"], d["read_bytes"], d["write_bytes"]) for d in r["dram"]], [l["cycles"] for l in r["layers"]])'
}
same() { # same ARGUMENT...: the same cycles of every layer, and the same bytes
    local one two
    one=$(figures --memory ideal "$@") && two=$(figures --memory "tlm:$ideal" "$@") && [ -n "$one" ] && [ "$one" = "$two" ]
}
unlimited=(--set core.dma.outstanding_requests=unlimited)
expect "a target of the level's latency and bandwidth takes the cycles of --memory ideal: alexnet" \
    same -a gemmini -w alexnet "${unlimited[@]}"
expect "... resnet18, on another bus" same -a gemmini -w resnet18 "${unlimited[@]}" \
    --set memory.dram.bandwidth=8GB/s --set memory.dram.latency=300ns
expect "... bursts of one byte" same -a scalesim -w resnet18 "${unlimited[@]}"
expect "... longer requests" same -a gemmini -w alexnet "${unlimited[@]}" --set core.dma.request=256B

# One engine loads 2048 requests of 64 B: 8 cycles of descriptor, 100 of latency, 4 on the bus.
printf 'systole-trace 1\ngemm l m=16 k=4096 n=16 a=x:int8 b=w:int8:weight y=y:int8\nend 1\n' >one.slt
loads_in() { # loads_in CYCLES OUTSTANDING
    call run -a gemmini -w one.slt --memory "tlm:$ideal" --set core.dma.outstanding_requests="$2" -f json &&
        python3 -c 'import json, sys; sys.exit(json.load(open("out"))["units"]["load.dram>scratchpad"]["busy"] != int(sys.argv[1]))' "$1"
}
expect "one request in flight costs a round trip each" loads_in $((8 + 2048 * 104)) 1
expect "four in flight: a round trip for every four" loads_in $((8 + 511 * 104 + 100 + 4 * 4)) 4
expect "without a bound the latency shows once" loads_in $((8 + 100 + 2048 * 4)) unlimited

call run -a gemmini -w alexnet --memory "tlm:$ideal" -f json && cp out plain.json
call run -a gemmini -w alexnet --memory "tlm:$ideal,queue" -f json && cp out queue.json
call run -a gemmini -w alexnet --memory "tlm:$ideal,shared" -f json && cp out shared.json
expect "processes of the target's own change nothing; a bus that its engines share does; the result says which it was" \
    python3 - "$ideal" <<'PY'
import hashlib, json, sys
plain, queue, shared = (json.load(open(f + ".json")) for f in ("plain", "queue", "shared"))
assert plain["layers"] == queue["layers"] and plain["units"] == queue["units"]
assert shared["totals"]["cycles"] > plain["totals"]["cycles"]
assert (plain["memory"], queue["memory"]) == (f"tlm:{sys.argv[1]}", f"tlm:{sys.argv[1]},queue")
sha256 = hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()
assert queue["inputs"][2] == {"role": "memory", "path": sys.argv[1], "sha256": sha256}
PY
call run -a gemmini -w alexnet --memory "tlm:$ideal" -f json
expect "the same run gives the same bytes" cmp out plain.json
cp "$ideal" here.so
expect "a file without a slash lies in the working directory" exits 0 run -a gemmini -w one.slt --memory tlm:here.so
expect "cycle fidelity takes a target too" exits 0 run -a gemmini -w one.slt --memory "tlm:$ideal" --fidelity cycle

run=(run -a gemmini -w one.slt --memory)
expect "a missing file" refuses 4 "No such file" "${run[@]}" tlm:./nothere.so
expect "no name at all" refuses 2 "names no memory target" "${run[@]}" tlm:
expect "not a shared object" refuses 3 "cannot load it" "${run[@]}" tlm:one.slt
expect "no factory" refuses 3 "no factory" "${run[@]}" "tlm:$targets/libno_factory.so"
expect "another ABI version" refuses 3 "ABI version 2, this is version 1" "${run[@]}" "tlm:$targets/libother_abi.so"
while IFS='|' read -r fault status text; do
    expect "a target's fault is a diagnostic: $fault" refuses "$status" "$text" "${run[@]}" "tlm:$faulty,$fault"
done <<'FAULTS'
throw|3|the tenth is too many
throw-int|3|unknown exception
wait|3|wait() is only allowed
report|3|a report of its own
address|3|TLM_ADDRESS_ERROR_RESPONSE
silent|3|TLM_INCOMPLETE_RESPONSE
late|3|beyond the range of time
no-make|3|cannot be made
clock|3|has a clock
nb-only|3|wait() is only allowed
unregistered|3|no blocking transport callback
stop|5|sc_stop
trigger|5|next_trigger
FAULTS
expect "the heap kernel says why not" refuses 2 "heap kernel cannot run" "${run[@]}" "tlm:$ideal" --kernel heap
expect "analytic fidelity says why not" refuses 2 "makes no requests" "${run[@]}" "tlm:$ideal" --fidelity analytic
expect "several cores say why not" refuses 3 "sees the requests of one core" "${run[@]}" "tlm:$ideal" -a tpu-v4
loads_no_code() { exits 3 check plain.json && grep -q "no code that a file names" err; }
expect "a baseline loads no code" loads_no_code
printf 'chips: [gemmini]\nworkloads: [one.slt]\nrun: {memory: "tlm:%s"}\n' "$ideal" >space.yaml
expect "nor does a space" refuses 3 "no code that it names" sweep space.yaml

# The example of the page, as a user would type it.
awk '/^```cpp$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/docs/extending.md" >flat.cpp
expect "the page's target builds with SystemC alone and runs" bash -c \
    "\${CXX:-c++} -std=c++17 -fPIC -shared -I'$root/sim/kernel' flat.cpp -o flat.so -lsystemc && '$systole' run -a gemmini -w one.slt --memory tlm:./flat.so,30 >out"
finish
