#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# samples.sh [FOLDER [CHIP...]]: every model file of a folder (tests/golden), at every fidelity, on each chip (tpu-v4i,
# gemmini, scalesim). A row a run: exit status, CPU seconds, fidelity, chip, file, cycles or the error. A file runs at
# all fidelities, in equal cycles at event and cycle, or is refused at all (exit status 3); anything else fails.
# Whole models are stepped: half an hour and more on tpu-v4i.
set -u
root=${SYSTOLE_DATA:-$PWD}
systole=${SYSTOLE:-$root/build/release/systole}
folder=${1:-$root/tests/golden}
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0

one() { # FIDELITY CHIP FILE OPTION...: leaves $status and $cycles
    local fidelity=$1 chip=$2 file=$3
    shift 3
    status=0
    timeout 900 "$systole" run -a "$chip" -w "$file" --fidelity "$fidelity" -f csv --totals -q -v "$@" \
        > "$scratch/out" 2> "$scratch/err" < /dev/null || status=$?
    cycles=$(grep ',cycles,' "$scratch/out" | cut -d, -f4)
    echo "$status,$(grep -o '[0-9.]* CPU seconds' "$scratch/err" | cut -d' ' -f1),$fidelity,$chip,${file#"$folder"/},$cycles,$(
        grep error "$scratch/err" | head -1 | tr , ';')"
}

for chip in "${@:-tpu-v4i gemmini scalesim}"; do
    for name in $chip; do
        formats=(--activation int8 --weight int8 --accumulator int32)
        [ "$name" = tpu-v4i ] && formats=()
        while read -r file; do
            options=()
            case $file in
                *.et) options=(--dim ranks=8 --set links.bandwidth="100 GB/s" --set links.latency="1 us" "${formats[@]}") ;;
                *.onnx | *.json) options=("${formats[@]}") ;;
            esac
            one analytic "$name" "$file" "${options[@]}"
            first=$status
            one event "$name" "$file" "${options[@]}"
            second=$status steps=$cycles
            one cycle "$name" "$file" "${options[@]}"
            if [ "$first$second$status" != 000 ] && [ "$first$second$status" != 333 ] || [ "$steps" != "$cycles" ]; then
                echo "not ok: $name, ${file#"$folder"/}: $first $second $status, $steps and $cycles cycles"
                bad=1
            fi
        done < <(find "$folder" -type f \( -name '*.onnx' -o -name '*.et' -o -path '*/hf*/*.json' -o -path '*topologies/*/*.csv' \) | sort)
    done
done
exit $bad
