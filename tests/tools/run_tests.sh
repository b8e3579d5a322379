#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run_tests.sh LOG_DIR JOBS PROGRAM...
#
# Run test programs, several at a time, and report them in the order given.
# What counts:
#  - a Check program: its "N%: Checks: N, Failures: N, Errors: N" lines;
#  - any other program: its lines that start with "ok" and "not ok";
#  - a program that prints neither: one test, passed when it exits with 0.
# A program that ends badly without having counted a failure counts one; so
# does one that counted nothing at all as a Check program. The last line is
# the sum; the exit status is 0 only when nothing failed.
set -u

logs=$1
jobs=$2
shift 2
limit_seconds=${TEST_TIMEOUT:-600}
mkdir -p "$logs"

name_of() { # build/release/tests/unit/test_x -> unit/test_x; tests/cli/x.sh -> cli/x.sh
    local name=${1##*/tests/}
    name=${name#tests/}
    printf '%s' "${name#"$PWD"/}"
}

log_of() {
    printf '%s/%s.log' "$logs" "$(name_of "$1" | tr / -)"
}

run_one() {
    local log start
    log=$(log_of "$1")
    start=$EPOCHREALTIME
    timeout -k 10 "$limit_seconds" "$1" >"$log" 2>&1 </dev/null
    local rc=$?
    echo "$rc $(((${EPOCHREALTIME/./} - ${start/./}) / 1000))" >"$log.end.tmp"
    mv "$log.end.tmp" "$log.end"
}

passed=0
failed=0

report() {
    local log rc ms good=0 bad=0 any=0 line
    log=$(log_of "$1")
    read -r rc ms <"$log.end"
    while IFS= read -r line; do
        if [[ $line =~ ^[0-9]+%:\ Checks:\ ([0-9]+),\ Failures:\ ([0-9]+),\ Errors:\ ([0-9]+) ]]; then
            any=1
            bad=$((bad + BASH_REMATCH[2] + BASH_REMATCH[3]))
            good=$((good + BASH_REMATCH[1] - BASH_REMATCH[2] - BASH_REMATCH[3]))
        elif [[ $line =~ ^not\ ok ]]; then
            any=1
            bad=$((bad + 1))
        elif [[ $line =~ ^ok ]]; then
            any=1
            good=$((good + 1))
        fi
    done <"$log"
    if [ $any -eq 0 ] && [ "$rc" -eq 0 ]; then
        good=1
    elif [ $bad -eq 0 ] && { [ "$rc" -ne 0 ] || [ $good -eq 0 ]; }; then
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ $bad -eq 0 ]; then
        printf 'ok      %-44s %5d  %6d ms\n' "$(name_of "$1")" "$good" "$ms"
    else
        printf 'FAILED  %-44s %5d of %d failed, exit status %d\n' "$(name_of "$1")" "$bad" $((good + bad)) "$rc"
        sed 's/^/    /' "$log"
    fi
}

programs=("$@")
for program in "${programs[@]}"; do
    rm -f "$(log_of "$program").end"
done

next=0
running=0
for program in "${programs[@]}"; do
    if [ "$running" -ge "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
    run_one "$program" &
    running=$((running + 1))
    while [ "$next" -lt ${#programs[@]} ] && [ -e "$(log_of "${programs[$next]}").end" ]; do
        report "${programs[$next]}"
        next=$((next + 1))
    done
done
wait
for ((; next < ${#programs[@]}; next++)); do
    report "${programs[$next]}"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
