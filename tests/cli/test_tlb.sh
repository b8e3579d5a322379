#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Address translation in the DMA engines (core.dma.tlb): misses, walks and their time against counts made by hand.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
tlb() { printf -- '--set\ncore.dma.tlb.%s\n' "$@"; }
figures() { # figures PYTHON-EXPRESSION of r (the result), load and store (units)
    python3 -c 'import json, sys
r = json.load(open("out")); u = r["units"]
load, store = u["load.dram>scratchpad"], u["store.accumulator>dram"]
for x in u.values(): assert x["cycles"] == x["busy"] + sum(x["stalls"].values()), x
sys.exit(not eval(sys.argv[1]))' "$1"
}
run=(run -a gemmini -f json)

# A: 16 x 4096 bytes, B: 4096 x 1024, C: 16 x 1024, all at multiples of 4 KiB, each byte moved once.
printf 'systole-trace 1\ngemm l m=16 k=4096 n=1024 a=x:int8 b=w:int8:weight y=y:int8\nend 1\n' >one.slt
pages='load["tlb_misses"] == 16 + 1024 and store["tlb_misses"] == 4'
mapfile -t sets < <(tlb entries=64)
for memory in ideal shared sampled burst; do
    call "${run[@]}" -w one.slt --memory $memory && cp out plain.json
    call "${run[@]}" -w one.slt --memory $memory "${sets[@]}"
    expect "every page of tensors read once misses once ($memory)" figures "$pages"
    expect "a walk reads one burst of 64 B; nothing else of the traffic changes ($memory)" \
        figures '(p := json.load(open("plain.json"))) and r["dram"][0]["walk_bytes"] == 64 * 1044 and r["links"] == p["links"] and r["totals"]["dram_read_bytes"] == p["totals"]["dram_read_bytes"] + 64 * 1044 and r["totals"]["dram_write_bytes"] == p["totals"]["dram_write_bytes"]'
done
expect "cycles are no fewer than without" figures 'r["totals"]["cycles"] >= json.load(open("plain.json"))["totals"]["cycles"]'
call "${run[@]}" -w one.slt "${sets[@]}" --kernel heap && cp out heap.json
call "${run[@]}" -w one.slt "${sets[@]}"
expect "both kernels agree" figures 'json.load(open("heap.json"))["units"] == r["units"]'
mapfile -t larger < <(tlb entries=64 page=2KiB walk_reads=3)
call "${run[@]}" -w one.slt "${larger[@]}"
expect "pages of half the size miss twice as often, and three reads a walk are three bursts" \
    figures 'load["tlb_misses"] == 2080 and store["tlb_misses"] == 8 and r["dram"][0]["walk_bytes"] == 2088 * 3 * 64'

# One move of 1 MiB: overhead 8, a walk of 100, latency 100, 65536 at 16 B a cycle, 255 walks of 100 among them.
moves() { # moves RECORDS
    printf 'systole-trace 1\ngemm fc m=16 k=16 n=16 a=x:int8 b=w:int8:weight y=y:int8\n%s\nend %d\n' "$1" $(($(wc -l <<<"$1") + 1)) >move.slt
}
moves 'load B level=1 bytes=1048576 at=0
matmul m=16 k=16 n=16 <1.load_b'
call "${run[@]}" -w move.slt --memory ideal "${sets[@]}" --set core.dma.outstanding_requests=unlimited
expect "a move takes overhead, latency, its bytes and 256 walks" \
    figures 'load["tlb_misses"] == 256 and load["stalls"]["tlb"] == 25600 and abs(load["busy"] + load["stalls"]["tlb"] - (8 + 100 + 65536 + 25600)) <= 1'
moves 'load B level=1 bytes=65536 at=4096
load B level=1 bytes=65536 at=4096 <1
load B level=1 rows=8 bytes=64 pitch=8192 at=4096 <1
matmul m=16 k=16 n=16 <1.load_b'
call "${run[@]}" -w move.slt "${sets[@]}"
expect "pages within reach are found again, row by row too" figures 'load["tlb_misses"] == 16'
mapfile -t few < <(tlb entries=8)
call "${run[@]}" -w move.slt "${few[@]}"
# the last rows but four are pages 1 3 5 7; 9 to 16 are there, and 1 3 5 7 put 9 to 12 out before they are asked for
expect "a sweep longer than the reach finds nothing of the one before" figures 'load["tlb_misses"] == 16 + 16 + 8'
mapfile -t direct < <(tlb entries=8 ways=1)
call "${run[@]}" -w move.slt "${direct[@]}"
# sets 1 3 5 7 alone: pages 1 3 5 7 put 9 11 13 15 out, which put them out again
expect "nor does one in sets of one way" figures 'load["tlb_misses"] == 16 + 16 + 8'

call "${run[@]}" -w resnet18 "${sets[@]}"
expect "a network: what a unit does and waits for is its time, links conserve" figures 'load["tlb_misses"] > 2000 and load["stalls"]["tlb"] > 0'
call "${run[@]}" -w alexnet && cp out off.json
mapfile -t off < <(tlb entries=0)
call "${run[@]}" -w alexnet "${off[@]}"
expect "off by default, and off changes nothing" figures 'r["units"] == json.load(open("off.json"))["units"] and "tlb_misses" not in load'

mapfile -t bad < <(tlb entries=64 ways=3)
expect "ways that do not divide the entries" refuses 3 "no whole sets of 3 ways" "${run[@]}" -w one.slt "${bad[@]}"
mapfile -t bad < <(tlb entries=64 page=3000B)
expect "a page that is no power of two" refuses 3 "no power of two" "${run[@]}" -w one.slt "${bad[@]}"
mapfile -t bad < <(tlb entires=64)
expect "a misspelt key" refuses 3 "entries" "${run[@]}" -w one.slt "${bad[@]}"
expect "analytic fidelity says why not" refuses 3 "remembers all of them" "${run[@]}" -w one.slt "${sets[@]}" --fidelity analytic
finish
