# SPDX-License-Identifier: Apache-2.0
"""Record tests/golden/dram_layers.csv anew: the layers of the table, their requests, what DRAMsim3 takes for them.

usage: dram_layers.py SYSTOLE DRIVER DRAMSIM3_DIR IN.csv OUT.csv

`make dram-layers` runs it; tests/golden/dram_layers.md says what the columns are.
"""
import csv
import hashlib
import os
import subprocess
import sys
import tempfile

SETS = ["core.array.rows=64", "core.array.cols=64", "core.dma.outstanding_requests=unlimited",
        "core.dma.bandwidth=unlimited"]
# device of the table: configuration of the tool, and what is not its file's
CONFIGS = {"ddr4-2400-dramsim3": ("DDR4_8Gb_x8_2400.ini",
                                  {"channel_size": "8192", "address_mapping": "rorabacobgch",
                                   "epoch_period": "2000000000", "output_level": "0"})}


def write_config(device, tool, path):
    name, changes = CONFIGS[device]
    left = dict(changes)
    with open(os.path.join(tool, "configs", name)) as source, open(path, "w") as out:
        for line in source:
            key = line.split("=")[0].strip()
            out.write(f"{key} = {left.pop(key)}\n" if key in left else line)
    if left:
        sys.exit(f"{name} has no {', '.join(left)}")


def record(row, systole, driver, tool, folder):
    layer, trace, config = (os.path.join(folder, name) for name in ("one.slt", "requests.trace", "config.ini"))
    with open(layer, "w") as out:
        out.write(f"systole-trace 1\nnet {row['network']}\n{row['record']}\nend 1\n")
    sets = SETS + [f"memory.dram.device={row['device']}", f"memory.dram.bandwidth={row['bandwidth']}"]
    subprocess.run([systole, "run", "-a", "gemmini", "-w", layer, "--dram-trace", trace, "-q", "-o", os.devnull]
                   + [word for one in sets for word in ("--set", one)], check=True)
    write_config(row["device"], tool, config)
    done = subprocess.run([driver, config, trace], check=True, capture_output=True, text=True, cwd=folder)
    clocks, requests, reads = done.stdout.split()[-3:]
    with open(trace, "rb") as text:
        sha256 = hashlib.sha256(text.read()).hexdigest()[:16]
    return {**row, "requests": requests, "reads": reads, "tool_clocks": clocks, "trace_sha256": sha256}


def main():
    systole, driver, tool, source, out = sys.argv[1:]
    with open(source, newline="") as file:
        rows = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as folder:
        rows = [record(row, systole, os.path.abspath(driver), tool, folder) for row in rows]
    with open(out, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


main()
