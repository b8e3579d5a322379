#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A trace streams: a hundred times the layers take no more memory, in whatever is read, packed or counted.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
# A sanitizer keeps what was freed; that is not the program's memory.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=0

layers() { # layers N FILE: N layers, no two of one name
    {
        printf 'systole-trace 1\nnet many\n'
        seq "$1" | awk '{ printf "gemm layer%d m=%d k=64 n=64 a=x:int8 b=w%d:int8:weight y=x:int8\n", $1, 1 + $1 % 97, $1 }'
        printf 'end %d\n' "$1"
    } | gzip -1 >"$2"
}
layers 3000 few.slt.gz
layers 300000 many.slt.gz

memory_kib() { # memory_kib ARGUMENT...: the most a command held
    timeout 120 "$systole" "$@" -v 2>&1 >/dev/null | sed -n 's/.* at most \([0-9]*\) KiB.*/\1/p'
}
# streams COMMAND...: FILE stands for the trace. 4 MiB of slack are 14 bytes a layer.
streams() {
    local few many
    few=$(memory_kib "${@//FILE/few.slt.gz}") many=$(memory_kib "${@//FILE/many.slt.gz}")
    [ -n "$few" ] && [ -n "$many" ] && [ "$many" -le $((few + 4096)) ] ||
        { echo "# $few KiB for 3000 layers, $many KiB for 300000: systole $*"; return 1; }
}
expect "trace info streams" streams trace info FILE
expect "trace cat streams" streams trace cat FILE
expect "trace verify streams" streams trace verify FILE
expect "trace pack streams" streams trace pack FILE -o packed.slt.gz
finish
