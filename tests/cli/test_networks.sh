#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every shipped network on every shipped chip runs or is refused with a reason; every SCALE-Sim topology that v2 or v3
# accepts imports and runs, every other one names its line.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

runs_or_says_why() { # CHIP NET
    local rc=0
    call run -a "$1" -w "$2" --totals || rc=$?
    [ $rc -eq 0 ] && [ -s out ] || { [ $rc -eq 3 ] && grep -q "error: ..*" err && [ ! -s out ]; } ||
        { echo "# exit status $rc"; head -3 err | sed 's/^/# /'; return 1; }
}
for chip in $("$systole" list chips -n); do
    for net in $("$systole" list workloads -n); do
        expect "$net on $chip" runs_or_says_why "$chip" "$net"
    done
done

topologies=$root/tests/golden/scalesim_topologies
imports_and_runs() { # FILE KIND
    exits 0 import "$topologies/$1" -i "$2" -o t.slt.gz && exits 0 run -a gemmini -w t.slt.gz --totals
}
repairs_or_names_the_line() { # FILE KIND
    local rc=0
    call import "$topologies/$1" -i "$2" -o t.slt.gz || rc=$?
    [ $rc -eq 0 ] || [ $rc -eq 3 ] || { echo "# exit status $rc"; return 1; }
    grep -qE "$(basename "$1"):[0-9]+" err || { echo "# no line in:"; head -3 err | sed 's/^/# /'; return 1; }
}
# A file that any version accepts as a kind is accepted as that kind.
accepted=$(awk -F, 'NR > 1 && $4 == 1 { print $2 "," $3 }' "$topologies/load_results.csv" | sort -u)
for entry in $accepted; do
    expect "${entry%,*} as ${entry#*,} imports and runs" imports_and_runs "${entry%,*}" "${entry#*,}"
done
refused=$(awk -F, 'NR > 1 { if ($4 == 1) good[$2] = 1; kind[$2] = $3 } END { for (f in kind) if (!good[f]) print f "," kind[f] }' \
    "$topologies/load_results.csv" | sort)
for entry in $refused; do
    expect "${entry%,*}: repaired, or its line is named" repairs_or_names_the_line "${entry%,*}" "${entry#*,}"
done
finish
