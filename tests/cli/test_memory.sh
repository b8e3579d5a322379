#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The memory alone: address patterns drive a chip's DRAM and give what the simulators gave for the same requests.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

call run -a gemmini -w pattern:tile:16384,requests=20000,rate=1 --memory burst -f json && cp out p.json
expect "a pattern is the golden run of DRAMsim3: cycles, latency, commands, energy" \
    python3 - "$root/tests/golden/dram_golden.csv" <<'PY'
import csv, json, sys
p = json.load(open("p.json"))
t = p["totals"]
[row] = [r for r in csv.DictReader(open(sys.argv[1])) if (r["tool"], r["device"], r["channels"], r["address_mapping"],
         r["pattern"], r["inject_rate"]) == ("DRAMsim3", "DDR4-2400", "1", "rorabacobgch", "tile:16384", "1.0")]
assert p["schema"] == "systole.memory/1" and p["device"] == "ddr4-2400-dramsim3" and p["channels"] == 1
near = lambda ours, theirs, share: abs(ours - float(theirs)) <= share * float(theirs)
assert (t["requests"], t["reads"], t["writes"]) == (20000, 13344, 6656) == (
    int(row["n_requests"]), int(row["n_reads"]), int(row["n_writes"]))
assert near(t["clocks"], row["total_cycles"], 0.003), t["clocks"]
assert near(t["bandwidth_bytes_per_s"] / 1e9, row["sustained_GBps"], 0.003)
assert near(t["read_latency_mean_ns"], row["rd_lat_avg_ns"], 0.10)
for ours, theirs in (("row_hits", "row_hits"), ("activates", "n_act"), ("precharges", "n_pre")):
    assert near(t[ours], row[theirs], 0.02), ours
assert t["refreshes"] == int(row["n_ref"])
energy = {e["action"]: e["total_j"] * 1e12 for e in p["energy"]}
for ours, theirs in (("activate", "E_act_pJ"), ("read", "E_rd_pJ"), ("write", "E_wr_pJ"), ("refresh", "E_ref_pJ"),
                     ("active_standby", "E_bg_act_pJ"), ("precharge_standby", "E_bg_pre_pJ")):
    assert near(energy[ours], row[theirs], 0.02), (ours, energy[ours], row[theirs])
assert near(t["device_energy_j"] * 1e12, row["E_total_pJ"], 0.02)
PY
call run -a gemmini -w pattern:tile:16384,requests=20000,rate=1 --memory burst -f csv && cp out p.csv
call run -a gemmini -w pattern:tile:16384,requests=20000,rate=1 --memory burst && cp out p.txt
expect "table and CSV say the same as the JSON, and the format page knows every figure" \
    python3 - "$root/docs/formats-result.md" <<'PY'
import csv, json, sys
t = json.load(open("p.json"))["totals"]
rows = {r["figure"]: r["value"] for r in csv.DictReader(open("p.csv"))}
page, table = open(sys.argv[1]).read(), open("p.txt").read()
assert list(rows) == list(t)
for name, value in t.items():
    assert float(rows[name]) == value, name
    assert f"`{name}`" in page, name
for name in ("row_hits", "row_conflicts", "activates", "precharges", "read_commands", "write_commands"):
    assert f"{t[name]:,}" in table, name
PY
call run -a gemmini -w pattern:tile:16384,requests=20000,rate=1 --memory burst -f json
expect "the same pattern gives the same bytes" cmp out p.json
call run -a gemmini -w pattern:seq_rd,requests=1000000 -f json && cp out sampled.json
call run -a gemmini -w pattern:seq_rd,requests=1000000 --memory burst -f json && cp out burst.json
expect "a sampled stream agrees with every burst simulated, reads and commands too" python3 - <<'PY'
import json
s, b = (json.load(open(f))["totals"] for f in ("sampled.json", "burst.json"))
assert s["simulated"] < 20000 and b["simulated"] == s["requests"] == s["reads"] == s["read_commands"] == 1000000
# One or two refreshes fall into the window, and how many rows are opened again behind each depends on where they fall.
for name, share in (("clocks", 0.01), ("activates", 0.15), ("row_hits", 0.02), ("refreshes", 0.02), ("energy_j", 0)):
    assert abs(s[name] - b[name]) <= share * b[name], (name, s[name], b[name])
PY

# What the chip says differs from the device file.
clocks() { call run -a gemmini -w pattern:seq_rd,requests=20000 --memory burst -f csv "$@" && awk -F, -v f="${figure:-clocks}" '$5 == f { print $6 }' out; }
plain=$(clocks)
expect "a hot device is refreshed twice as often" test \
    "$(figure=refreshes clocks --set memory.dram.hot=true)" -ge "$(( $(figure=refreshes clocks) * 19 / 10 ))"
expect "inline ECC adds a burst to every eight and takes their time" test \
    "$(figure=check_bursts clocks --set memory.dram.inline_ecc="512 B")" -eq 2500 -a \
    "$(clocks --set memory.dram.inline_ecc="512 B")" -ge "$((plain * 9 / 8 * 99 / 100))"
# 8 GB/s are 9.6 clocks of 0.83 ns a burst, in whole clocks 10.
expect "a narrow fabric bounds the bandwidth" test "$(clocks --set memory.dram.fabric="8 GB/s")" -ge 199990
expect "closed rows and another map come from the chip" bash -c \
    "'$systole' run -a gemmini -w pattern:seq_rd --set 'memory.dram.address_map=row rank bankgroup bank column channel' |
     grep -q 'map \"row rank bankgroup bank column channel\"'"
expect "another controller comes from the chip" prints "controller ramulator2" run -a gemmini -w pattern:mix3 \
    --set memory.dram.controller=ramulator2

expect "an unknown pattern lists those there are" refuses 3 "streams:K" run -a gemmini -w pattern:zigzag
expect "a pattern without its number says so" refuses 3 "wrong number of arguments" run -a gemmini -w pattern:tile
expect "a tile of half a burst is refused" refuses 3 "whole bursts" run -a gemmini -w pattern:tile:96
expect "an unknown key lists those there are" refuses 3 "known: requests, rate, level" run -a gemmini -w pattern:seq_rd,size=4
for bad in requests=0 requests=-1 requests=2x requests= rate=nan rate=-1 rate=0.00001 level=hbm requests; do
    expect "$bad is refused" refuses 3 "" run -a gemmini -w "pattern:seq_rd,$bad"
done
expect "a chip without a device says which level lacks it" refuses 3 "memory.hbm" run -a tpu-v6e -w pattern:seq_rd
expect "an address map that does not fit is refused" refuses 3 "map" run -a gemmini -w pattern:seq_rd --set memory.dram.address_map=row
expect "ECC over a part of a burst is refused" refuses 3 "inline_ecc" run -a gemmini -w pattern:seq_rd --set memory.dram.inline_ecc="100 B"
sed 's/burst: {value: 64 B/burst: {value: 32 B/' "$root/arch/chips/gemmini.yaml" >small.yaml
place=$(grep -n "burst: {value: 32 B" small.yaml | cut -d: -f1)
expect "bursts of a chip that are not the device's are refused where they are written" \
    refuses 3 "small.yaml:$place:20: error: memory.dram.burst: 32 B are not whole bursts of 64 B" run -a small.yaml -w resnet18
expect "the same on the command line" refuses 3 "96 B are not whole bursts" run -a gemmini -w resnet18 --set memory.dram.burst="96 B"
expect "several bursts at once are not" exits 0 run -a gemmini -w resnet18 --set memory.dram.burst="128 B"
expect "without the device any burst will do" exits 0 run -a small.yaml -w resnet18 --memory ideal
expect "memory ideal cannot run a pattern" refuses 2 "known: sampled, burst" run -a gemmini -w pattern:seq_rd --memory ideal
expect "a pattern has no timeline" refuses 2 "timeline" run -a gemmini -w pattern:seq_rd --timeline t.json
expect "a format nobody writes is refused" refuses 2 "known: table, csv, json" run -a gemmini -w pattern:seq_rd -f html
expect "too many requests for every one are refused" refuses 3 "one by one" run -a gemmini -w pattern:seq_rd,requests=2000000000 --memory burst
# The requests of a run, for other simulators.
cat > one.slt <<'SLT'
systole-trace 1
net one
gemm fc m=96 k=200 n=100 a=x:int8 b=w:int8:weight y=y:int8
end 1
SLT
expect "a run writes its memory requests" exits 0 run -a gemmini -w one.slt --dram-trace one.dramsim3 -f json
cp out run.json
expect "each request is a burst of the report, none is left out, and clocks stay within the run" python3 - <<'PY'
import json
r = json.load(open("run.json"))
lines = [line.split() for line in open("one.dramsim3")]
assert r["memory"] == "burst"
[dram] = [d for d in r["dram"] if "row_hits" in d]
for kind, key in (("READ", "read_bytes"), ("WRITE", "write_bytes")):
    assert sum(op == kind for _, op, _ in lines) * 64 == dram[key], kind
assert all(int(at, 16) % 64 == 0 for at, _, _ in lines)
assert max(int(clock) for _, _, clock in lines) < dram["clocks"]
# every byte of both operands is asked for, and every byte of the result is written
reads = {int(at, 16) for at, op, _ in lines if op == "READ"}
writes = {int(at, 16) for at, op, _ in lines if op == "WRITE"}
assert len(reads) * 64 >= 96 * 200 + 200 * 100 and len(writes) * 64 >= 96 * 100 and not reads & writes
PY
expect "trace export writes the same requests as Ramulator 2 reads them" exits 0 trace export one.slt -a gemmini -f ramulator2 -o one.ramulator2
expect "in the same order" bash -c \
    "awk '{ print (\$2 == \"READ\" ? \"LD \" : \"ST \") \$1 }' one.dramsim3 | cmp - one.ramulator2"
expect "a format may stand before the file" exits 0 run -a gemmini -w one.slt --dram-trace ramulator2:two.ramulator2 --totals
expect "with the same bytes" cmp one.ramulator2 two.ramulator2
expect "an unknown format lists those there are" refuses 2 "known: dramsim3, ramulator2" run -a gemmini -w one.slt --dram-trace usimm:x
expect "a memory without requests has no trace" refuses 2 "no memory requests" run -a gemmini -w one.slt --dram-trace x --memory shared
expect "nor has analytic fidelity" refuses 2 "analytic fidelity" run -a gemmini -w one.slt --dram-trace x --fidelity analytic
expect "nor a chip without a device" refuses 3 "no requests to trace" run -a tpu-v6e -w one.slt --dram-trace x
expect "a refused run leaves no file" test ! -e x
expect "export needs a chip" refuses 2 "-a" trace export one.slt -o x
expect "a folder that is not there is an I/O error" exits 4 run -a gemmini -w one.slt --dram-trace nowhere/x
finish
