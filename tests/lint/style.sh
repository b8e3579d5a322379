#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The rules that need no compiler: a closed top level, a licence line in every
# source, no leftover marks, no fixed scratch paths, no trailing blanks.
. "${BASH_SOURCE%/*}/common.sh"
bad=0

complain() {
    echo "$*"
    bad=1
}

allowed='^(sim|arch|workloads|traces|tests|docs)/|^(Makefile|README\.md|CHANGELOG\.md|LICENSE)$|^\.'
while IFS= read -r file; do
    complain "$file: the top level is closed (docs/design.md)"
done < <(tree_files | grep -vE "$allowed")

while IFS= read -r file; do
    head -2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0' ||
        complain "$file:1: no SPDX-License-Identifier line"
done < <(tree_files | grep -E '\.(c|h|cpp|sh|py|map)$|^Makefile$|^\.ci/')

# File names here hold no blanks: the words below are split on purpose.
# shellcheck disable=SC2046,SC2086
text_files=$(tree_files | grep -E '\.(c|h|cpp|sh|py|md|map|yaml|yml|1|3|5)$|^Makefile$|^\.ci/')
marks='\b(TO''DO|FIX''ME|XX''X|HA''CK)\b'
while IFS= read -r line; do
    complain "$line: a leftover mark; do it or open an issue"
done < <(grep -nE "$marks" $text_files | cut -c1-160)

scratch='/t''mp/'
while IFS= read -r line; do
    complain "$line: a fixed scratch path; use mktemp or TMPDIR"
done < <(grep -nF "$scratch" $text_files | cut -c1-160)

while IFS= read -r line; do
    complain "$line: trailing blanks"
done < <(grep -nE '[ 	]+$' $(printf '%s\n' "$text_files" | grep -v '\.md$') | cut -c1-160)

exit $bad
