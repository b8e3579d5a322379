#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The guide can be typed as it stands, and the manual page says what --help says.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
mkdir bin && ln -s "$systole" bin/systole
export PATH=$PWD/bin:$PATH

# Each block of shell of a page, in order, in one folder.
mkdir guide
awk '/^```sh$/ { n++; on = 1; next } /^```$/ { on = 0 } on { print > sprintf("guide/%02d.sh", n) }' "$root/docs/guide.md"
expect "the guide has commands" test "$(find guide -name '*.sh' | wc -l)" -ge 6
mkdir work
for block in guide/*.sh; do
    expect "guide block $(basename "$block" .sh): $(sed -n '/systole/{s/ *#.*//;p;q}' "$block")" \
        bash -c "cd work && bash -e ../$block >../out 2>../err || { sed 's/^/# /' ../err; exit 1; }"
done

expect "the manual page is what --help says" bash -c \
    "'$root/tests/tools/man.sh' '$systole' | diff - '$root/docs/man/systole.1' | sed 's/^/# /' | head; [ \"\${PIPESTATUS[1]}\" -eq 0 ]"
for page in "$root"/docs/man/*.[15]; do
    expect "$(basename "$page") is a manual page" grep -q '^\.TH SYSTOLE' "$page"
done
finish
