#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Models shipped by name: they are listed, their totals are the published ones in every phase, and they run.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

lists() { # NAME
    "$systole" list workloads -n | grep -qx "$1"
}
parameters_are() { # NAME NUMBER [OPTION...]
    local name=$1 wanted=$2
    shift 2
    exits 0 import "$name" "$@" -o t.slt.gz && call trace info t.slt.gz -f json && grep -qx "  \"parameters\": $wanted," out ||
        { grep parameters out | sed 's/^/# /'; return 1; }
}
# name, parameters (tests/golden/hf_configs/totals.csv says from where)
while read -r name parameters; do
    expect "$name is listed" lists "$name"
    expect "$name has the published parameters" parameters_are "$name" "$parameters"
    [ "$name" = whisper-small ] || # its decode step leaves the audio encoder out
        expect "$name has them in decode too" parameters_are "$name" "$parameters" --phase decode --batch 8 --context 4096
done <<'MODELS'
llama3-8b 8030261248
llama3-70b 70553706496
qwen3-8b 8190735360
mixtral-8x7b 46702792704
deepseek-v3 671026404352
whisper-small 241734912
MODELS
expect "a decode step of a model by name runs and reports its time a token" \
    prints "tpot_s" run -a tpu-v4i -w llama3-8b --phase decode --batch 8 --context 4096 -f json --fidelity analytic
# 16060522496 of parameters, 8 x 4096 tokens of 131072 and one layer's activations on 8 GiB
expect "a chip that lets larger models run says by how much they do not fit" \
    prints "which holds 8589934592: parameters 16060" run -a tpu-v4i -w llama3-8b --phase decode --batch 8 --context 4096 \
    --fidelity analytic
# 2 x 70553706496 bytes of parameters
expect "a model that exceeds the memory of the chip is an error with the numbers" \
    refuses 3 "parameters 141107412992" run -a tpu-v6e -w llama3-70b --phase decode --fidelity analytic
expect "what one chip cannot hold eight can, tensor parallel" prints "one of 8 chips" run -a tpu-v6e -w llama3-70b \
    --phase decode --fidelity analytic --tensor-parallel 8 --set "links.bandwidth=100 GB/s"
same_share() { # one chip's part runs the same from its trace
    call run -a tpu-v4i -w llama3-8b --phase decode --tensor-parallel 4 --format csv && cut -d, -f3- out >direct &&
        call import llama3-8b --phase decode --tensor-parallel 4 -o share.slt.gz &&
        call run -a tpu-v4i -w share.slt.gz --format csv && cut -d, -f3- out | cmp - direct
}
expect "one chip's part of a model runs the same from its trace" same_share
expect "shares are for language models" refuses 2 "tensor parallelism means nothing to the scalesim importer" \
    run -a tpu-v4i -w "$root/tests/fuzz/corpus/import_scalesim/alexnet.csv" --tensor-parallel 2
expect "speech to text runs" exits 0 run -a tpu-v4i -w whisper-small --fidelity analytic
expect "a name that is not there is refused" exits 3 run -a tpu-v4i -w llama9-8b
finish
