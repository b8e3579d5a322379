#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fused groups from the command line: of models and of traces, in results, and in what is repeated from results.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
golden=$root/tests/golden

figures() { # figures ARGUMENT...: the totals as lines
    call run "$@" --format csv --totals && cut -d, -f3- out
}
same_by_trace() { # a model fused as it runs = fused as it is imported
    figures -a tpu-v6e -w "$golden/onnx/two_conv.onnx" --fuse "$1" >direct &&
        call import "$golden/onnx/two_conv.onnx" --fuse "$1" -o fused.slt.gz &&
        figures -a tpu-v6e -w fused.slt.gz >by_trace && grep -q halo_macs,. direct && cmp direct by_trace
}
first=$("$systole" import "$golden/onnx/two_conv.onnx" -o - --plain | awk '$1 == "conv" { print $2; exit }')
last=$("$systole" import "$golden/onnx/two_conv.onnx" -o - --plain | awk '$1 == "conv" { name = $2 } END { print name }')
expect "a model fused as it runs is the model fused as it is imported" same_by_trace "$first..$last:strip=2:halo=recompute"

stage=conv1..layer1.2.conv3:strip=14
saves() { # with little on chip, strips move less
    figures -a tpu-v6e -w resnet50 --set "memory.vmem.capacity=2 MiB" >plain &&
        figures -a tpu-v6e -w resnet50 --set "memory.vmem.capacity=2 MiB" --fuse "$stage" >strips &&
        [ "$(awk -F, '$1 ~ /^dram_(read|write)_bytes/ { n += $2 } END { print n }' strips)" -lt \
            "$(awk -F, '$1 ~ /^dram_(read|write)_bytes/ { n += $2 } END { print n }' plain)" ]
}
expect "with 2 MiB on chip the first stage of ResNet-50 in strips saves traffic" saves
for fidelity in analytic event; do
    figures -a tpu-v6e -w resnet50 --fuse "$stage" --fidelity $fidelity | grep ^cycles >$fidelity
done
within() { # within PERCENT: analytic against event
    awk -F, -v most="$1" '{ v[NR] = $2 } END { d = (v[1] - v[2]) / v[2] * 100; exit !(d <= most && d >= -most) }' analytic event
}
expect "analytic agrees with event on strips within 5%" within 5

expect "the report names the group" prints "conv1 to layer1.2.conv3 in 4 strips of 14 rows, halo kept, weights kept" \
    run -a tpu-v6e -w resnet50 --totals --fuse "$stage"
baseline() { call run -a tpu-v6e -w resnet50 --fuse "$stage" --format json -o base.json; }
expect "a result of strips is written" baseline
expect "check repeats the strips that a result records" exits 0 check base.json
expect "a trace is not written anew with groups" refuses 2 "its layers can be fused in runs" \
    import "$root/workloads/nets/resnet50.slt.gz" --fuse "$stage" -o x.slt.gz
expect "a layer that is not there is named" refuses 2 "no layer is called 'nothing'" \
    run -a tpu-v6e -w "$golden/onnx/two_conv.onnx" --fuse "nothing..$last:strip=2"
expect "a tensor that is read behind the group is named" refuses 3 "is read behind the group" \
    run -a tpu-v6e -w resnet50 --fuse conv1..layer1.2.conv2:strip=14
expect "a group that does not fit is refused with its bytes" refuses 3 "keep 1258432 bytes at once in level vmem" \
    run -a tpu-v6e -w resnet50 --set "memory.vmem.capacity=1 MiB" --fuse "$stage"
finish
