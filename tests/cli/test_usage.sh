#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Help, versions, exit statuses and suggestions.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

expect "--version names the version and the model" prints "systole 0." --version
expect "--help lists the subcommands" prints "Subcommands:" --help
expect "nothing at all is a usage error" exits 2

subcommands=$("$systole" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
expect "there are subcommands" test "$(wc -w <<<"$subcommands")" -ge 9
for name in $subcommands; do
    expect "$name --help has examples" prints "  systole $name" "$name" --help
    expect "help $name is the same text" bash -c "'$systole' help $name | cmp -s - <('$systole' $name --help)"
    expect "$name refuses an unknown option" refuses 2 "is not an option of systole $name" "$name" --no-such-option
done

expect "a mistyped subcommand is answered with the nearest" refuses 2 "did you mean 'run'" rnu
expect "a mistyped option is answered with the nearest" refuses 2 "did you mean '--objective'" run --ojective x
expect "help on a mistyped subcommand too" refuses 2 "did you mean 'sweep'" help sweeep
expect "a missing value is a usage error" refuses 2 "needs a value" run -a
expect "a value for a flag is a usage error" refuses 2 "takes no value" run --totals=1
expect "a number must be one" refuses 2 "is not a number" run -a gemmini -w alexnet --seed -1
expect "a missing chip is a usage error" refuses 2 "the chip, -a, is missing" run -w alexnet
expect "a missing workload is a usage error" refuses 2 "the workload, -w, is missing" run -a gemmini
expect "an unknown memory model is answered with the nearest" refuses 2 "did you mean ideal" run -a gemmini -w alexnet --memory ideel
expect "an unknown format is refused" refuses 2 "output format 'jsn'" run -a gemmini -w alexnet -f jsn
expect "an unknown list is refused" refuses 2 "there is no list of" list chps
expect "an unknown suite is refused" refuses 2 "there is no suite" validate nosuch
expect "an unknown chip is answered with the nearest" refuses 3 "did you mean 'tpu-v1'" run -a tpu-v9 -w alexnet
expect "an unknown workload is refused" refuses 3 "there is no workload" run -a gemmini -w resnet5
for what in chips workloads drams dataflows arrays energy prices incumbents scenarios formats importers suites figures; do
    expect "list $what lists something" bash -c "'$systole' list $what --names | grep -q ."
done
expect "show prints sources" prints "confidence" show chip gemmini
expect "a shown chip loads back to the same figures" bash -c "
    '$systole' show chip gemmini -f yaml -o shown.yaml &&
    cmp <('$systole' run -a gemmini -w alexnet --totals -f csv) <('$systole' run -a shown.yaml -w alexnet --totals -f csv)"

colors() { # standard output of the program on a terminal
    script -qec "$*" /dev/null </dev/null
}
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then # a terminal can be had
    expect "a terminal gets colour" bash -c "$(declare -f colors); TERM=xterm colors '$systole run -a gemmini -w alexnet --totals' | grep -q \$'\\033'"
    expect "NO_COLOR is honoured" bash -c "$(declare -f colors); ! TERM=xterm NO_COLOR=1 colors '$systole run -a gemmini -w alexnet --totals' | grep -q \$'\\033\\[1m'"
fi
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then # a terminal can be had
    fits() { # WIDTH NET: no line of the table is wider, the list of idle units and the notes aside
        TERM=xterm NO_COLOR=1 script -qec "stty cols $1; '$systole' run -a tpu-v4i -w $2 -q" /dev/null </dev/null | tr -d '\r' |
            sed '/^The outputs/,$d;/without work/d' >wide
        python3 - "$1" <<'PY'
import sys
lines = open("wide", encoding="utf-8").read().splitlines()
long = [line for line in lines if len(line) > int(sys.argv[1])]
print("\n".join("# " + line for line in long), end="")
sys.exit(bool(long) or len(lines) < 30)
PY
    }
    for width in 80 120; do
        for net in resnet50 bert-base mobilenet-v1 gpt2; do
            expect "$net fits a terminal of $width columns" fits $width $net
        done
    done
fi
finish
