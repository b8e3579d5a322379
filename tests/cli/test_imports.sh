#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Model files from end to end: import, trace and run say the same as running the file; what is not modelled is in every
# format; collectives are timed by the links or refused.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
golden=$root/tests/golden

# The result without what names the file it came from.
strip() { python3 -c '
import json, sys
r = json.load(sys.stdin)
for key in ("inputs", "request"): r.pop(key, None)
json.dump(r, sys.stdout, indent=1)'; }
same_by_trace() { # CHIP FILE FIDELITY IMPORT-OPTION...
    local chip=$1 file=$2 fidelity=$3
    shift 3
    local name
    name=$(basename "$file")
    name=${name%.*}
    exits 0 import "$file" "$@" -o "$name.slt.gz" && exits 0 run -a "$chip" -w "$name.slt.gz" --fidelity "$fidelity" -f json || return 1
    strip < out > traced.json
    exits 0 run -a "$chip" -w "$file" "$@" --fidelity "$fidelity" -f json || return 1
    strip < out > direct.json
    cmp direct.json traced.json
}
for fidelity in analytic event; do
    for file in alexnet resnet18 two_conv; do
        expect "$file.onnx at $fidelity: direct run = import, trace, run" same_by_trace gemmini "$golden/onnx/$file.onnx" \
            $fidelity --activation int8 --weight int8 --accumulator int32
    done
    expect "a language model at $fidelity: direct run = import, trace, run" same_by_trace tpu-v4i \
        "$golden/hf_configs/qwen3-0.6b.json" $fidelity --phase decode --batch 2 --context 128
    for phase in prefill decode; do
        expect "$phase of a ragged batch at $fidelity: direct run = import, trace, run" same_by_trace tpu-v4i \
            "$golden/hf_configs/gemma-3-1b.json" $fidelity --phase $phase --context 3x128,900,2000
    done
    expect "a paged cache at $fidelity: direct run = import, trace, run" same_by_trace tpu-v4i \
        "$golden/hf_configs/qwen3-0.6b.json" $fidelity --phase decode --context 4x500,900 --kv-page 16
    expect "a collective at $fidelity: direct run = import, trace, run" same_by_trace tpu-v4i \
        "$golden/chakra/all_reduce_8npus_1MB.0.et" $fidelity --dim ranks=8
done
# Files as users have them, in fp32, on a chip of bf16 and on one of integers.
expect "an fp32 model runs on a bf16 chip, which says that it rounds" prints "fp32 by fp32 runs as bf16 by bf16 on chip tpu-v4i, rounded" \
    run -a tpu-v4i -w "$golden/onnx/resnet18.onnx"
expect "an integer chip refuses it and says what to type" refuses 3 "import the model with --activation int8 --weight int8" \
    run -a tpu-v1 -w "$golden/onnx/resnet18.onnx"
expect "two convolutions at cycle: direct run = import, trace, run" same_by_trace gemmini "$golden/onnx/two_conv.onnx" cycle \
    --activation int8 --weight int8 --accumulator int32

# One of each kind of file at every fidelity; tests/tools/samples.sh has them all.
at_every_fidelity() { # CHIP FILE IMPORT-OPTION...: it runs at all, in equal cycles at event and cycle
    local chip=$1 file=$2 fidelity
    shift 2
    for fidelity in analytic event cycle; do
        exits 0 run -a "$chip" -w "$file" "$@" --fidelity $fidelity -f csv --totals && grep ',cycles,' out | cut -d, -f4 > $fidelity.cycles || return 1
    done
    cmp event.cycles cycle.cycles
}
int8=(--activation int8 --weight int8 --accumulator int32)
expect "an ONNX file runs at every fidelity" at_every_fidelity gemmini "$golden/onnx/resnet18.onnx" "${int8[@]}"
expect "so does a language model, prefill" at_every_fidelity scalesim "$golden/hf_configs/llama-3-8b.json" "${int8[@]}"
expect "so does its decode" at_every_fidelity gemmini "$golden/hf_configs/deepseek-v3.json" "${int8[@]}" --phase decode --batch 8
expect "so does a topology of convolutions" at_every_fidelity gemmini "$golden/scalesim_topologies/conv_nets/yolo_tiny.csv"
expect "so does one of matrices" at_every_fidelity scalesim "$golden/scalesim_topologies/GEMM_mnk/gnmt.csv"
expect "so does one with sparsity" at_every_fidelity scalesim "$(find "$golden/scalesim_topologies/sparsity" -name '*.csv' | sort | head -1)"
expect "so does communication alone" at_every_fidelity tpu-v4i "$golden/chakra/all_reduce_8npus_1MB.0.et" --dim ranks=8
printf 'systole-trace 1\nnet e\nelementwise add elements=1024 function=add a=x:int8 b=y:int8 y=z:int8\nend 1\n' > sum.slt
expect "and a model without any product" at_every_fidelity gemmini sum.slt
printf '900 # the long one\n128,128\n128 2000\n' > contexts
expect "a file of contexts is its list" bash -c "
    '$systole' import '$golden/hf_configs/qwen3-0.6b.json' --phase decode --context contexts --plain -o file.slt &&
    '$systole' import '$golden/hf_configs/qwen3-0.6b.json' --phase decode --context 2000,900,3x128 --plain -o list.slt &&
    cmp file.slt list.slt"
expect "the mean step of a ragged batch grows every context" prints tpot_mean_s run -a tpu-v4i \
    -w "$golden/hf_configs/qwen3-0.6b.json" --phase decode --context 128,900 --new-tokens 3 --fidelity analytic -f json
expect "a list of contexts for a model without any is refused" exits 2 run -a gemmini -w "$golden/onnx/alexnet.onnx" \
    --context 1,2

imports_in_any_order() {
    local first second
    for first in resnet18 two_conv; do
        for second in alexnet resnet18 two_conv; do
            "$systole" import "$golden/onnx/$first.onnx" -o first.slt.gz && "$systole" import "$golden/onnx/$second.onnx" \
                -o "$second.$first.slt.gz" || return 1
        done
    done
    for second in alexnet resnet18 two_conv; do
        cmp "$second.resnet18.slt.gz" "$second.two_conv.slt.gz" || return 1
    done
}
expect "the order of imports does not matter" imports_in_any_order

# 14 x 1 us and 14/8 MiB at 100 GB/s, in cycles of 1050 MHz
expect "a ring all-reduce takes its steps and its bytes" bash -c \
    "'$systole' run -a tpu-v4i -w '$golden/chakra/all_reduce_8npus_1MB.0.et' --dim ranks=8 -f json | python3 -c '
import json, sys
r = json.load(sys.stdin)
wait = r[\"units\"][\"vector\"][\"stalls\"][\"collective\"]
total = r[\"totals\"][\"cycles\"]
model = (14e-6 + 14 / 8 * 2**20 / 100e9) * 1050e6
busy = r[\"units\"][\"vector\"][\"busy\"]
assert wait <= model + 8 and wait + busy >= model - 8 and model < total < 1.15 * model, (wait, busy, total, model)'"
expect "faster links, less time" bash -c "
    a=\$('$systole' run -a tpu-v4i -w '$golden/chakra/all_reduce_8npus_1MB.0.et' --dim ranks=8 -f json | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"totals\"][\"cycles\"])')
    b=\$('$systole' run -a tpu-v4i --set links.latency='0 us' -w '$golden/chakra/all_reduce_8npus_1MB.0.et' --dim ranks=8 -f json | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"totals\"][\"cycles\"])')
    [ \$((a - b)) -ge 14600 ] && [ \$((a - b)) -le 14800 ]"
call run -a tpu-v4i -w "$golden/chakra/all_gather_4npus_1MB.0.et" --dim ranks=4 --emit-schedule s.slt.gz -f csv --totals
grep ",cycles," out > emitted
expect "its schedule replays in as many cycles" bash -c \
    "'$systole' run -a tpu-v4i -w s.slt.gz -f csv --totals | grep ,cycles, | cut -d, -f3- | cmp - <(cut -d, -f3- emitted)"
expect "a chip without links refuses a collective and says what to do" exits 3 run -a gemmini \
    -w "$golden/chakra/all_reduce_8npus_1MB.0.et" --dim ranks=8
expect "the hint names the key" grep -q "links.bandwidth" err

cat > um.slt <<'SLT'
systole-trace 1
net um
gemm fc m=16 k=32 n=16 a=x:int8 b=w:int8:weight y=y:int8
unmodelled NonMaxSuppression 3 4096
end 2
SLT
for format in $("$systole" list formats -n); do
    expect "what is not modelled is in $format" bash -c "'$systole' run -a gemmini -w um.slt -f $format | grep NonMaxSuppression"
    expect "what is not modelled is in $format --totals" bash -c \
        "'$systole' run -a gemmini -w um.slt -f $format --totals | grep NonMaxSuppression"
done
expect "its bytes too" bash -c "'$systole' run -a gemmini -w um.slt -f csv | python3 -c '
import csv, sys
rows = list(csv.DictReader(sys.stdin))
assert [(r[\"name\"], r[\"op\"], r[\"repeat\"], r[\"unmodelled_bytes\"]) for r in rows][1:] == [(\"NonMaxSuppression\", \"unmodelled\", \"3\", \"4096\")]
assert not any(None in r for r in rows)'"
expect "trace info lists it" prints "3 NonMaxSuppression, 4,096 bytes" trace info um.slt
for file in onnx/resnet18.onnx hf_configs/qwen3-0.6b.json; do
    counts() { call trace info "$1" -f json && grep -E '"(macs|parameters|weight_bytes|layers|activation_bytes)":' out; }
    both() { exits 0 import "$golden/$file" -o both.slt.gz && counts both.slt.gz > traced && counts "$golden/$file" > direct && cmp traced direct; }
    expect "trace info counts $file as it counts its trace" both
done
expect "trace info knows the shipped networks by name" prints " 4,089,184,256" trace info resnet50
trace_of_stdin() { timeout 60 "$systole" trace info - < both.slt.gz > out && grep -q "compressed bytes" out; }
expect "trace info reads a trace from standard input" trace_of_stdin
expect "trace info lists it in JSON" prints '"op": "NonMaxSuppression"' trace info um.slt -f json
finish
