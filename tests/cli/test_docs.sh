#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The guide can be typed as it stands, and the manual page says what --help says.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"
mkdir bin && ln -s "$systole" bin/systole
export PATH=$PWD/bin:$PATH

# blocks LANGUAGE SUFFIX PAGE: the page's blocks of that language as PAGE/NN.SUFFIX
blocks() {
    mkdir -p "$3"
    awk -v fence="^\`\`\`$1\$" -v name="$3/%02d.$2" '$0 ~ fence { n++; on = 1; next } /^```$/ { on = 0 } on { print > sprintf(name, n) }' \
        "$root/docs/$3.md"
}

# Each block of shell of a page, in order, in one folder of its own.
for page in guide extending; do
    blocks sh sh $page
    expect "docs/$page.md has commands" test "$(find $page -name '*.sh' | wc -l)" -ge 4
    mkdir $page/work
    for block in $page/*.sh; do
        expect "$page block $(basename "$block" .sh): $(sed -n '/systole/{s/ *#.*//;p;q}' "$block")" \
            bash -c "cd $page/work && bash -e ../$(basename "$block") >../../out 2>../../err || { sed 's/^/# /' ../../err; exit 1; }"
    done
done

# What a page shows as C compiles against the headers it names.
blocks c c extending
for block in extending/*.c; do
    expect "extending block $(basename "$block") compiles" bash -c \
        "\${CC:-cc} -std=c11 -Wall -Wextra -Werror -D_GNU_SOURCE -I'$root' -fsyntax-only $block 2>&1 | sed 's/^/# /'; [ \${PIPESTATUS[0]} -eq 0 ]"
done

expect "the manual page is what --help says" bash -c \
    "'$root/tests/tools/man.sh' '$systole' | diff - '$root/docs/man/systole.1' | sed 's/^/# /' | head; [ \"\${PIPESTATUS[1]}\" -eq 0 ]"
for page in "$root"/docs/man/*.[15]; do
    expect "$(basename "$page") is a manual page" grep -q '^\.TH SYSTOLE' "$page"
done
finish
