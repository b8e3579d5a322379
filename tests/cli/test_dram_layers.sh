#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Memory time of real layers: what the engine's memory takes is what DRAMsim3 takes for the same requests
# (tests/golden/dram_layers.csv), within 3% a layer.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
export systole

expect "20 layers take the memory time that DRAMsim3 takes, within 3% each" python3 - "$root/tests/golden/dram_layers.csv" <<'PY'
import csv, hashlib, json, os, subprocess, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert len(rows) == 20 and {r["network"] for r in rows} == {"resnet50", "bert-base", "llama3-8b"}
wrong, moved = [], []
for r in rows:
    open("one.slt", "w").write(f"systole-trace 1\nnet {r['network']}\n{r['record']}\nend 1\n")
    sets = ["core.array.rows=64", "core.array.cols=64", "core.dma.outstanding_requests=unlimited",
            "core.dma.bandwidth=unlimited", f"memory.dram.device={r['device']}", f"memory.dram.bandwidth={r['bandwidth']}"]
    run = subprocess.run([os.environ["systole"], "run", "-a", "gemmini", "-w", "one.slt", "--dram-trace", "requests", "-f", "json"]
                         + [word for s in sets for word in ("--set", s)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    [dram] = [d for d in json.loads(run.stdout)["dram"] if "clocks" in d]
    # Another schedule asks for other requests at other times: what the tool took for the recorded ones says nothing then.
    if hashlib.sha256(open("requests", "rb").read()).hexdigest()[:16] != r["trace_sha256"]:
        moved.append(r["layer"])
        continue
    requests = (dram["read_bytes"] + dram["write_bytes"]) // 64
    error = dram["clocks"] / int(r["tool_clocks"]) - 1
    if requests != int(r["requests"]) or dram["read_bytes"] // 64 != int(r["reads"]) or abs(error) > 0.03:
        wrong.append(r["layer"])
        print(f"# {r['network']} {r['layer']}: {requests} requests, recorded {r['requests']}; time off by {error:.2%}")
if moved:
    print(f"# the schedule of {len(moved)} layers is not the recorded one; record anew (dram_layers.md): {' '.join(moved)}")
sys.exit(bool(wrong or moved))
PY
expect "sampled: a layer of at most 4 MiB is the bursts' own run, also from its emitted commands; the others stay within 2%" \
    python3 - "$root/tests/golden/dram_layers.csv" <<'PY'
import csv, json, os, subprocess, sys
def run(workload, memory, *more):
    done = subprocess.run([os.environ["systole"], "run", "-a", "gemmini", "-w", workload, "--memory", memory, "-f", "json", *more]
                          + [word for s in sets for word in ("--set", s)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    [dram] = [d for d in result["dram"] if "row_hits" in d]
    return result["totals"]["cycles"], dram
wrong, short = [], 0
for r in csv.DictReader(open(sys.argv[1])):
    open("one.slt", "w").write(f"systole-trace 1\nnet {r['network']}\n{r['record']}\nend 1\n")
    sets = ["core.array.rows=64", "core.array.cols=64", "core.dma.outstanding_requests=unlimited",
            "core.dma.bandwidth=unlimited", f"memory.dram.device={r['device']}", f"memory.dram.bandwidth={r['bandwidth']}"]
    burst, sampled = run("one.slt", "burst"), run("one.slt", "sampled", "--emit-schedule", "commands.slt")
    if burst[1]["read_bytes"] + burst[1]["write_bytes"] <= 4 << 20:
        short += 1
        good = sampled == burst == run("commands.slt", "sampled")
    else:
        good = "clocks" not in sampled[1] and abs(sampled[0] / burst[0] - 1) <= 0.02
    if not good:
        wrong.append(r["layer"])
        print(f"# {r['layer']}: {sampled} sampled, {burst} in bursts")
print(f"# {short} short layers")
sys.exit(bool(wrong) or not 10 <= short < 20)
PY
finish
