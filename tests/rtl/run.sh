#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build the composed machine for each array and run random cases on it: run.sh BUILD_DIR OUT.csv
# Each line below is dataflow, rows, columns, first seed, runs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1 out=$2
machines='ws 2 2 1000 30
ws 4 4 2000 30
ws 8 8 3000 25
ws 16 16 4000 20
ws 4 8 5000 20
ws 16 4 6000 20
os 2 2 11000 30
os 4 4 12000 30
os 8 8 13000 25
os 16 16 14000 25
os 4 8 15000 20
os 16 4 16000 20
ws 3 5 17000 20
ws 7 2 18000 20
ws 8 16 19000 20
os 3 5 20000 20
os 7 2 21000 20
os 5 12 22000 20'
version=$(verilator --version | cut -d' ' -f1,2)
mkdir -p "$build"
: > "$out.tmp"
echo "$machines" | while read -r flow rows cols seed runs; do
	dir=$build/$flow${rows}x$cols
	stationary=0
	[ "$flow" = ws ] && stationary=1
	echo "  RTL   $flow $rows x $cols ($version)" >&2
	# Loops over lanes are unrolled: Verilator has no delayed assignment to an array in a loop. Widths are mixed freely.
	# Set-up code, the larger half, runs once and is not optimized; the rest at -O1 builds in 30 s and runs 30 times as fast.
	verilator --cc --exe --build --unroll-count 1024 --unroll-stmts 1000000 -Wno-WIDTH -Wno-BLKSEQ \
		--top-module machine "-GROWS=$rows" "-GCOLS=$cols" --Mdir "$dir" -MAKEFLAGS "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0" \
		-CFLAGS "-DMACHINE_ROWS=$rows -DMACHINE_COLS=$cols -DMACHINE_STATIONARY_WEIGHTS=$stationary" \
		"$here/machine_types.sv" "$here/delay_line.sv" "$here/pe_$flow.sv" "$here/array_$flow.sv" \
		"$here/dma_engine.sv" "$here/vector_unit.sv" "$here/memory_arbiter.sv" "$here/sequencer.sv" \
		"$here/machine.sv" "$here/machine_tb.cpp" > "$dir.log" 2>&1 || { tail -30 "$dir.log" >&2; exit 1; }
	[ -s "$out.tmp" ] || "$dir/Vmachine" -header > "$out.tmp"
	"$dir/Vmachine" "$seed" "$runs" >> "$out.tmp"
done
mv "$out.tmp" "$out"
