#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Nothing a user can type crashes, hangs or is silently accepted; nothing is left half-written.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

gemm() { printf 'Layer, M, N, K,\n%s\n' "$1" >t.csv; }
while IFS='|' read -r row text; do
    gemm "$row"
    expect "dimensions '$row' are refused" refuses 3 "$text" run -a gemmini -w t.csv -i gemm
done <<'ROWS'
a,0,1,1,|expected 1 to
a,-1,1,1,|expected a whole number
a,99999999999999999999999,1,1,|expected a whole number
a,4294967295,4294967295,4294967295,|does not fit 64 bits
a,1e3,1,1,|expected a whole number
ROWS
expect "the refusal names the line" grep -q 't.csv:2:' err

expect "a scratchpad too small for one tile is refused" refuses 3 "do not hold one tile" \
    run -a gemmini -w alexnet --set "memory.scratchpad.capacity=16 B"
"$systole" show chip gemmini -f yaml | sed '/kind: dram/d' >nodram.yaml
expect "a chip without DRAM is refused" refuses 3 "nodram.yaml" run -a nodram.yaml -w alexnet
expect "a directory is no workload" refuses 4 "s a directory" run -a gemmini -w /
expect "a directory is no trace" refuses 4 "this is a directory" trace info /

net=$root/workloads/nets/resnet50.slt.gz
: >empty.slt.gz
expect "an empty file is refused" refuses 3 "the file is empty" run -a gemmini -w empty.slt.gz
printf 'systole-trace 1\nend 0\n' >none.slt
expect "a trace without layers is refused" refuses 3 "has no layers" run -a gemmini -w none.slt
head -c 600 "$net" >cut.slt.gz
expect "a truncated trace is refused with the offset" refuses 3 "cut.slt.gz:byte 600" run -a gemmini -w cut.slt.gz
expect "verify sees the cut" exits 3 trace verify cut.slt.gz
expect "recover writes what is intact" exits 0 trace recover cut.slt.gz -o saved.slt.gz
expect "what it wrote is whole" exits 0 trace verify saved.slt.gz
python3 - "$net" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[500] ^= 0x55
open("bad.slt.gz", "wb").write(data)
PY
expect "a corrupted trace is refused with an offset" refuses 3 "bad.slt.gz:byte" run -a gemmini -w bad.slt.gz
expect "an import option cannot change a trace" refuses 2 "its layers are fixed" run -a gemmini -w alexnet --batch 2

closed() { local rc=0; "$systole" "$@" >&- 2>err || rc=$?; [ $rc -eq 4 ] || { echo "# exit status $rc"; return 1; }; }
full() { local rc=0; "$systole" "$@" >/dev/full 2>err || rc=$?; [ $rc -eq 4 ] && grep -q 'error' err; }
for arguments in "run -a gemmini -w alexnet" "list chips" "run --help" "--version" "show chip gemmini" \
    "compare -a gemmini -a tpu-v1 -w alexnet" "trace info $net" "trace cat $net"; do
    # shellcheck disable=SC2086
    expect "closed standard output: ${arguments%% /*}" closed $arguments
    # shellcheck disable=SC2086
    expect "full standard output: ${arguments%% /*}" full $arguments
done

mkdir locked
for option in -o --timeline --vcd --emit-schedule; do
    expect "$option to a folder that is not there" exits 4 run -a gemmini -w alexnet $option locked/no/file
    expect "$option to a full device" exits 4 run -a tpu-v1 -w alexnet $option /dev/full
done
expect "a failed run leaves no output" bash -c "
    ! '$systole' run -a gemmini -w cut.slt.gz -o locked/r.json --timeline locked/t.json --emit-schedule locked/s.slt.gz 2>/dev/null &&
    [ -z \"\$(ls locked)\" ]"
echo before >kept.json
expect "a failed run leaves an older output as it was" bash -c "
    ! '$systole' run -a gemmini -w cut.slt.gz -o kept.json 2>/dev/null && [ \"\$(cat kept.json)\" = before ]"
finish
