#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Both kernel backends, and both plain build variants, give identical bytes.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

pairs="tpu-v1:resnet50 gemmini:mobilenet-v1 scalesim:resnet18 tpu-v4i:bert-base eyeriss:alexnet"
for pair in $pairs; do
    call run -a "${pair%:*}" -w "${pair#*:}" -f json --kernel systemc && cp out systemc.json
    expect "${pair#*:} on ${pair%:*}: the heap kernel gives SystemC's bytes" bash -c \
        "'$systole' run -a ${pair%:*} -w ${pair#*:} -f json --kernel heap -q | cmp - systemc.json"
done

build=$(dirname "$(dirname "$systole")")
variant=$(basename "$(dirname "$systole")")
other=$([ "$variant" = debug ] && echo release || echo debug)
# A sub-make must not inherit the job server of a `make -j` above it.
expect "the $other variant builds" bash -c \
    "MAKEFLAGS= make -s -C '$root' VARIANT=$other BUILD='$build' '$build/$other/systole' >log 2>&1 || { tail -5 log; exit 1; }"
for pair in $pairs; do
    expect "${pair#*:} on ${pair%:*}: $variant and $other give the same bytes" bash -c \
        "cmp <('$systole' run -a ${pair%:*} -w ${pair#*:} -f json -q) <('$build/$other/systole' run -a ${pair%:*} -w ${pair#*:} -f json -q)"
done
finish
