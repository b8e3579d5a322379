#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Export an RTL kit for each of the two arrays and run it on their meshes: kit.sh SYSTOLE BUILD_DIR
# Then shift one expected result by a cycle: the harness must notice.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
systole=$1 build=$2
for flow in ws os; do
	dir=$build/kit_$flow
	mkdir -p "$dir"
	cat > "$dir/array.yaml" <<-EOF
		name: kit
		description: a machine around the array of tests/rtl
		source: tests/rtl
		confidence: verified
		technology: {node: 28 nm}
		clocks: {core: 1 GHz}
		cores: 1
		core:
		  array:
		    rows: 6
		    cols: 4
		    count: 1
		    dataflows: [$flow]
		    precisions: [{a: int8, b: int8, accumulator: int32, rate: 1}]
		    timing: systole-$flow
		  vector: {lanes: 4, simple_cycles: 1, transcendental_cycles: 1, reduce_cycles: 1, startup: 2 cycles}
		  dma: {engines: 1, overhead: 3 cycles, queue_depth: 8}
		memory:
		  - {name: accumulator, kind: sram, holds: [C], capacity: 4 KiB, accumulates: true, depth: 2}
		  - {name: scratchpad, kind: sram, holds: [A, B], capacity: 4 KiB, depth: 2}
		  - {name: memory, kind: dram, holds: [A, B, C], bandwidth: 8 B/cycle, latency: 20 ns, burst: 16 B}
	EOF
	printf 'systole-trace 1\ngemm layer m=45 k=40 n=33 tile0=20,17,9\nend 1\n' > "$dir/layer.slt"
	"$systole" export rtl-kit -a "$dir/array.yaml" -w "$dir/layer.slt" -o "$dir/kit" --tiles 40 --seed 7
	verilator --binary --timing -Wno-WIDTH --Mdir "$dir/obj" -MAKEFLAGS "OPT_FAST=-O0" --top-module kit_tb \
		"-I$dir/kit" "$dir/kit/kit_tb.sv" "$here/kit_dut_$flow.sv" "$here/pe_$flow.sv" "$here/delay_line.sv" \
		> "$dir.log" 2>&1 || { tail -30 "$dir.log" >&2; exit 1; }
	(cd "$dir/kit" && ../obj/Vkit_tb)
	mkdir -p "$dir/off"
	cp "$dir/kit/inputs.txt" "$dir/off"
	awk 'NR == 100 { $1++ } { print }' "$dir/kit/outputs.txt" | sort -s -n -k1,1 > "$dir/off/outputs.txt"
	if (cd "$dir/off" && ../obj/Vkit_tb > ../off.log 2>&1) || ! grep -q 'expected' "$dir/off.log"; then
		echo "kit.sh: the $flow harness did not notice a result in another cycle" >&2
		exit 1
	fi
done
