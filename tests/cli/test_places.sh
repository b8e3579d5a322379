#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every tile has its place in memory: the addresses of emitted schedules against a list made tile by tile, and the rows
# of DRAM that a stream of weights has to open.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
cat >check.py <<'P'
import gzip, json, random, subprocess, sys
systole, seed = sys.argv[1], int(sys.argv[2])
rng = random.Random(seed)
up = lambda v, a: -(-v // a) * a
def tile(size, unit): # whole folds, or all of it
    return min(size, unit * rng.randint(1, 4))
for case in range(12):
    m, k, n, g = rng.randint(1, 90), rng.randint(1, 200), rng.randint(1, 200), rng.choice([1, 1, 2, 3])
    align, burst = rng.choice([1, 64, 96, 4096]), rng.choice([32, 64, 128])
    tm, tk, tn = tile(m, 16), tile(k, 16), tile(n, 16)
    open("p.slt", "w").write(f"systole-trace 1\ngemm l m={m} k={k} n={n} g={g} a=x:int8 b=w:int8:weight y=y:int8 "
                             f"tile0={tm},{tk},{tn} tile1={tm},{tk},{tn}\nend 1\n")
    subprocess.run([systole, "run", "-a", "gemmini", "-w", "p.slt", "--memory", "ideal", "--emit-schedule", "p.out", "-o", "p.json",
                    "-q", "--set", f"memory.dram.alignment={align} B", "--set", f"memory.dram.burst={burst} B"], check=True)
    moves = {"load A": [], "load B": [], "load C": [], "store C": []}
    for line in gzip.open("p.out", "rt"):
        word = line.split()
        if " ".join(word[:2]) in moves:
            moves[" ".join(word[:2])].append({p.split("=")[0]: int(p.split("=")[1]) for p in word[2:] if "=" in p})
    # weights: one tile after the other, each at a whole burst and at the alignment
    wanted, ahead = set(), 0
    for _ in range(g):
        for j in range(0, n, tn):
            for i in range(0, k, tk):
                size = min(tk, k - i) * min(tn, n - j)
                wanted.add((ahead, size))
                ahead += up(up(size, burst), align)
    base = min(x["at"] for x in moves["load B"])
    found = {(x["at"] - base, x.get("rows", 1) * x["bytes"]) for x in moves["load B"]}
    assert found == wanted, (case, sorted(found ^ wanted)[:4])
    # activations and results: every byte of the tensor, results once
    def places(moves):
        at = [x["at"] + r * x.get("pitch", x["bytes"]) + i for x in moves for r in range(x.get("rows", 1)) for i in range(x["bytes"])]
        first = min(at)
        return sorted(a - first for a in at)
    assert sorted(set(places(moves["load A"]))) == list(range(g * m * k)), case
    last = moves["store C"] if tk == k else None
    if last:
        assert places(last) == list(range(g * m * n)), case
    # partial sums come back from where they were put
    put = {(x["at"], x.get("rows", 1), x["bytes"]) for x in moves["store C"]}
    assert all((x["at"], x.get("rows", 1), x["bytes"]) in put for x in moves["load C"]), case
P
expect "tiles lie where a list of all tiles has them" python3 check.py "$systole" 11

# 4 MiB of weights in tiles of at most a few KiB; a row of the device holds 8 KiB
printf 'systole-trace 1\ngemm l m=16 k=4096 n=1024 a=x:int8 b=w:int8:weight y=y:int8 tile0=16,64,64 tile1=16,64,64\nend 1\n' >one.slt
opens_rows() { # MEMORY
    call run -a gemmini -w one.slt --memory "$1" -f json &&
        python3 -c 'import json; d = json.load(open("out"))["dram"][0]; assert d["activates"] >= 4096 * 1024 // 8192, d'
}
expect "a stream of small tiles opens every row of DRAM it lies in (burst)" opens_rows burst
expect "a stream of small tiles opens every row of DRAM it lies in (sampled)" opens_rows sampled

# the allocator's other answer: aligned_cycles are those of a chip whose regions are aligned
both_answers() { # CHIP NET MEMORY
    call run -a "$1" -w "$2" --memory "$3" --aligned-too -f json && cp out both.json &&
        call run -a "$1" -w "$2" --memory "$3" --set memory.dram.region_skew=0B -f json &&
        python3 -c 'import json; both, flat = (json.load(open(f))["totals"] for f in ("both.json", "out"))
assert both["aligned_cycles"] == flat["cycles"] and "aligned_cycles" not in flat, (both, flat)
assert both["cycles"] != flat["cycles"], both'
}
printf 'systole-trace 1\ngemm l m=512 k=512 n=512 a=x:int8 b=w:int8:weight y=y:int8\nend 1\n' >square.slt
expect "both answers of the region allocator (burst)" both_answers gemmini square.slt burst
expect "both answers of the region allocator (sampled)" both_answers gemmini resnet18 sampled
expect "a region skew beyond half a page" refuses 3 "region_skew" run -a gemmini -w square.slt --set "memory.dram.region_skew=1 GiB"
finish
