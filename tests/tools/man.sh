#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: man.sh PROGRAM > docs/man/systole.1
# The manual page of the command line, from what --help prints. A test compares the two.
set -u
program=$1

escape() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\\&\\1/"; }
section() { # section TITLE: the lines of --help below TITLE, to the next blank line or the end
    awk -v title="$1:" '$0 == title { on = 1; next } on && /^[A-Z][a-z ]*:/ { exit } on'
}
verbatim() { printf '.nf\n'; escape; printf '.fi\n'; }

cat <<'HEAD'
.\" SPDX-License-Identifier: Apache-2.0
.\" Written by tests/tools/man.sh from systole --help.
.TH SYSTOLE 1 "" "systole" "User Commands"
.SH NAME
systole \- what would this chip do with this model?
.SH SYNOPSIS
.B systole
.I SUBCOMMAND
.RI [ OPTION ...]
.SH DESCRIPTION
Replays the layers of a neural network through a configurable systolic-array accelerator and reports utilization,
latency and energy. Results go to standard output, progress and diagnostics to standard error.
HEAD
help=$("$program" --help)
for name in $(sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$help"); do
    one=$("$program" "$name" --help)
    printf '.SH %s\n' "$(tr '[:lower:]' '[:upper:]' <<<"systole $name")"
    sed -n '1s/^systole [a-z]*: //p' <<<"$one" | escape
    printf '.PP\n'
    sed -n 's/^Usage: //p' <<<"$one" | escape
    printf '.PP\n'
    section Options <<<"$one" | verbatim
    printf '.PP\nExamples:\n.PP\n'
    section Examples <<<"$one" | verbatim
done
cat <<'TAIL'
.SH EXIT STATUS
0 success; 1 a checked figure moved or a validation is beyond its bound; 2 usage; 3 invalid input; 4 input or output;
5 internal; 130 interrupted.
.SH ENVIRONMENT
.TP
SYSTOLE_DATA
The folder with arch/ and workloads/, when it is not found beside the program.
.TP
NO_COLOR
When set, no colour is used.
.TP
COLUMNS
Width of tables on a terminal that does not tell its own.
.SH SEE ALSO
.BR systole\-chip (5),
.BR systole\-trace (5)
TAIL
