#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A run: its formats agree, its bytes are stable, schedules replay, the files it writes are what they say.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

expect "the table names the chip's work" prints "4,089,184,256 MACs" run -a tpu-v1 -w resnet50
expect "the table at its default width has no line above 100 columns before the notes" bash -c \
    "sed '/^The outputs/,\$d;/without work/d' out | awk 'length > 100 { bad = 1 } END { exit bad }'"
call run -a tpu-v1 -w resnet50 -f json && cp out r.json
expect "the JSON is right" python3 - <<'PY'
import json
r = json.load(open("r.json"))
t = r["totals"]
assert r["schema"] == "systole.result/1" and r["request"] == {"chip": "tpu-v1", "workload": "resnet50", "import": {}}
assert t["macs"] == 4089184256 and 0 < t["utilization"] <= 1
assert abs(t["active"] * t["streaming"] * t["mapping"] * t["padding"] / t["utilization"] - 1) < 1e-9
for unit in r["units"].values():
    assert unit["cycles"] == unit["busy"] + sum(unit["stalls"].values())
assert sum(layer["cycles"] for layer in r["layers"]) == t["cycles"]
assert abs(sum(row["total_j"] for row in r["energy"]) / t["energy_j"] - 1) < 1e-9
assert all(row["source"] and row["confidence"] for row in r["energy"])
PY
expect "it has the keys of its schema, and the format page documents every key it has" python3 - "$root/docs/formats-result.md" <<'PY'
import json, re, sys
r = json.load(open("r.json"))
page = open(sys.argv[1]).read()
known = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`([^`]*)`", page))))
for key in ("schema tool inputs chip workload fidelity memory objective totals units stalls dram energy layers warnings".split()):
    assert key in r, key
for key in ("cycles seconds macs utilization active streaming mapping padding energy_j power_w edp_js dram_read_bytes "
            "dram_write_bytes dram_utilization".split()):
    assert key in r["totals"], key
for key in "name op m k n repeat cycles utilization bound stalls energy_j dram_read_bytes dram_write_bytes tile".split():
    assert key in r["layers"][0], key
named = {"units", "stalls"}  # their keys are names of units and causes
def walk(value, inside):
    if isinstance(value, dict):
        for key, one in value.items():
            assert inside in named or key in known, key
            walk(one, key)
    elif isinstance(value, list):
        for one in value:
            walk(one, inside)
walk(r, "")
PY
call run -a tpu-v1 -w resnet50 -f csv && cp out r.csv
call run -a tpu-v1 -w resnet50 -f csv --totals && cp out t.csv
expect "the two CSV forms say the same as the JSON" python3 - <<'PY'
import csv, json
r = json.load(open("r.json"))
rows = list(csv.DictReader(open("r.csv")))
assert [(x["name"], int(x["cycles"]), x["bound"]) for x in rows] == [(x["name"], x["cycles"], x["bound"]) for x in r["layers"]]
stalls = [c for c in rows[0] if c.startswith("stall_")]
assert all(int(x["cycles"]) == int(x["busy_cycles"]) + sum(int(x[c]) for c in stalls) for x in rows)
totals = {x["figure"]: float(x["value"]) for x in csv.DictReader(open("t.csv"))}
assert totals == {k: float(v) for k, v in r["totals"].items()}
PY
expect "--explain-energy shows every row's source" bash -c \
    "'$systole' run -a tpu-v1 -w alexnet --explain-energy | grep -A3 'Energy, every row' | grep -q confidence"
for format in table csv json; do
    expect "two runs give the same bytes: $format" bash -c \
        "cmp <('$systole' run -a gemmini -w resnet18 -f $format 2>&1) <('$systole' run -a gemmini -w resnet18 -f $format 2>&1)"
done
expect "-o writes the bytes that standard output gets" bash -c \
    "'$systole' run -a tpu-v1 -w resnet50 -f json -o o.json && cmp o.json r.json"

cycles() { "$systole" run "$@" -f csv --totals -q | awk -F, '$3 == "cycles" { print $4 }'; }
for pair in tpu-v1:resnet50 gemmini:mobilenet-v1 scalesim:bert-base tpu-v4i:alexnet; do
    chip=${pair%:*} net=${pair#*:}
    before=$(cycles -a "$chip" -w "$net" --emit-schedule s.slt.gz)
    expect "$net on $chip: the emitted schedule replays in as many cycles" \
        test -n "$before" -a "$(cycles -a "$chip" -w s.slt.gz)" = "$before"
done

ws=(--set core.array.dataflows=[ws])
expect "the table says that a window was not packed" prints "rows: 3 of 16, window not packed: conv1" run -a gemmini -w resnet18 "${ws[@]}"
expect "the table says that a window was packed" prints "rows: 14.7 of 16, window packed: conv1" \
    run -a gemmini -w resnet18 "${ws[@]}" --set core.array.pack_window=true
expect "JSON says that a window was not packed" bash -c \
    "'$systole' run -a gemmini -w resnet18 ${ws[*]} -f json | tr -d ' \n' | grep -q '\"window\":{\"packed\":\"no\",\"segment\":3,\"rows\":3,\"array_rows\":16}'"

expect "a timeline is written" exits 0 run -a gemmini -w resnet18 --totals --timeline t.json
expect "its events do not overlap in a row, and its times are real" python3 - <<'PY'
import json
t = json.load(open("t.json"))
events = [e for e in t["traceEvents"] if e["ph"] == "X"]
rows = {e["tid"] for e in t["traceEvents"] if e["name"] == "thread_name"}
end = {}
assert events and "microseconds" in t["otherData"]["time"]
for e in events:
    a = e["args"]
    assert e["tid"] in rows and a["start_cycle"] >= end.get(e["tid"], 0)
    end[e["tid"]] = a["start_cycle"] + a["cycles"]
    assert abs(e["ts"] - a["start_cycle"] * 1e6 / t["otherData"]["core_hz"]) <= 1e-9 * e["ts"] + 1e-9
PY
expect "a waveform is written" bash -c "'$systole' run -a gemmini -w alexnet --vcd w.vcd >/dev/null && grep -q enddefinitions w.vcd"

python3 - <<'PY'
import gzip
text = "systole-trace 1\nnet made\ngemm g m=64 k=64 n=64 a=x:int8 b=w:int8:weight y=y:int8\nend 1\n"
gzip.open("py.slt.gz", "wt").write(text)
PY
expect "a trace that Python's gzip wrote runs" prints "262,144 MACs" run -a gemmini -w py.slt.gz
expect "a packed trace is read by Python's gzip" bash -c "
    '$systole' trace pack py.slt.gz -o packed.slt.gz && '$systole' trace cat packed.slt.gz >text &&
    python3 -c 'import gzip; assert gzip.open(\"packed.slt.gz\", \"rt\").read() == open(\"text\").read()'"
expect "packing changes no cycle" test "$(cycles -a gemmini -w packed.slt.gz)" = "$(cycles -a gemmini -w py.slt.gz)"

compat() {
    "$systole" run --compat scalesim-v3 -c "$root/tests/golden/scalesim_configs/v3_scale.cfg" \
        -t "$root/tests/golden/scalesim_topologies/conv_nets/test.csv" -p compat >/dev/null 2>&1 &&
        [ "$(find compat -name '*_REPORT.csv' | wc -l)" -eq 3 ]
}
expect "--compat writes SCALE-Sim's three reports" compat
expect "--compat refuses what it does not know" refuses 2 "no tool 'x'" run --compat x -c a -t b
finish
