#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Write docs/validation.md from runs of every validation suite: `make validation`. No figure in that file is typed by hand.
set -eu
systole=${SYSTOLE:-build/release/systole}
cat <<'HEAD'
# Validation

Made by `make validation` from the suites' own runs on the tables of `tests/golden` (their provenance lies beside them). Errors
are in percent of the known value of the suite's main figure; *exact* counts rows of which every figure is met (integers equal,
reals within 10⁻⁹ relative) and rows that the reference could not run and the model refuses too. Nothing was fitted per row.

HEAD
table() {
    local suite=$1; shift
    printf '\n## %s\n\n`systole validate %s%s`\n\n```\n' "$suite${1:+ ($*)}" "$suite" "${1:+ $*}"
    "$systole" validate "$suite" "$@" 2>/dev/null || true
    printf '```\n'
    case $suite in
        onnxim) printf '\nRows beyond 5 %% and their reasons: [model-array.md](model-array.md#onnxim-end-to-end).\n' ;;
        stonne) printf '\nRefused: rows whose networks carry less than the array takes; they are not modelled.\n' ;;
    esac
}
for suite in $("$systole" list suites --names); do
    if [ "$suite" = dram ]; then
        table dram --memory burst
        table dram --memory sampled
    else
        table "$suite"
    fi
done
