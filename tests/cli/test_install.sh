#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `make install` puts down can be used from outside the tree, and `make uninstall` takes all of it away.
set -u
root=${SYSTOLE_DATA:-$PWD}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

expect() {
    local name=$1
    shift
    if "$@"; then
        echo "ok - $name"
    else
        echo "not ok - $name"
        status=1
    fi
}

# The tree that is under test is built already; its variant is the one of the folder SYSTOLE lies in.
variant=$(basename "$(dirname "${SYSTOLE:-build/release/systole}")")
build=$(dirname "$(dirname "${SYSTOLE:-$root/build/release/systole}")")
prefix=${PREFIX:-/usr/local} # the one it was built for, or the program would be built again
make_quietly() {
    # A sub-make of `make -j` must not inherit its job server.
    MAKEFLAGS='' make -s -C "$root" VARIANT="$variant" BUILD="${build#"$root"/}" DESTDIR="$scratch/root" PREFIX="$prefix" "$@" >"$scratch/log" 2>&1 ||
        { cat "$scratch/log"; return 1; }
}

expect "install works" make_quietly install
lib=$scratch/root$prefix/lib
links_are_right() {
    local real
    real=$(readlink -f "$lib/libsystole.so") && [[ $real =~ libsystole\.so\.[0-9]+\.[0-9]+\.[0-9]+$ ]] &&
        [ "$(readlink -f "$lib/$(objdump -p "$real" | awk '$1 == "SONAME" { print $2 }')")" = "$real" ]
}
expect "the shared library has its number and its two links" links_are_right

exports_only_ours() {
    local names
    names=$(nm -D --defined-only "$lib/libsystole.so" | awk '$2 != "A" { print $3 }' | sed 's/@.*//')
    ! grep -vE '^(systole_[a-z0-9_]+|sc_main|_init|_fini|_edata|_end|__bss_start)$' <<<"$names" | grep .
}
case $variant in
release | debug) expect "nothing but systole_* is exported" exports_only_ours ;;
esac

cat >"$scratch/user.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <systole.h>
int main(void)
{
    char header[64];
    snprintf(header, sizeof header, "%d.%d.%d", SYSTOLE_VERSION_MAJOR, SYSTOLE_VERSION_MINOR, SYSTOLE_VERSION_PATCH);
    return strcmp(systole_version(), header) != 0;
}
C
export PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$scratch/root
flags() { pkg-config "$@" systole; }
build_and_run() {
    # shellcheck disable=SC2046
    cc -std=c11 -Wall -Wextra -Werror -Wpedantic "$scratch/user.c" -o "$scratch/user" $(flags --cflags --libs) &&
        LD_LIBRARY_PATH=$lib "$scratch/user" >/dev/null
}
build_cxx() {
    cp "$scratch/user.c" "$scratch/user.cpp"
    # shellcheck disable=SC2046
    c++ -std=c++17 -Wall -Wextra -Werror "$scratch/user.cpp" -o "$scratch/user" $(flags --cflags --libs)
}
has_symbol() {
    nm -D --defined-only "$lib/libsystole.so" | grep -q ' systole_version'
}
bind_memory() {
    awk '/^```c\+\+$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/docs/extending.md" >"$scratch/model.cpp"
    # shellcheck disable=SC2046
    c++ -std=c++17 -Wall -Wextra -Werror "$scratch/model.cpp" -o "$scratch/model" $(flags --cflags --libs) -lsystemc &&
        LD_LIBRARY_PATH=$lib SYSTOLE_DATA=$scratch/root$prefix/share/systole "$scratch/model" | grep '^line 1 2 3 at' >/dev/null
}
if [ "$variant" = release ] && has_symbol; then
    expect "a SystemC model binds the installed memory" bind_memory
    expect "a C program builds with pkg-config and runs" build_and_run
    expect "a C++ program builds with it" build_cxx
fi
if [ -x "$scratch/root$prefix/bin/systole" ]; then
    expect "the installed program starts" bash -c "'$scratch/root$prefix/bin/systole' --version >/dev/null"
fi
data_is_whole() {
    local chip
    for chip in "$root"/arch/chips/*.yaml; do
        cmp -s "$chip" "$scratch/root$prefix/share/systole/${chip#"$root"/}" || return 1
    done
}
if compgen -G "$root/arch/chips/*.yaml" >/dev/null; then
    expect "every chip is installed" data_is_whole
fi

expect "uninstall works" make_quietly uninstall
expect "uninstall leaves nothing behind" bash -c "! find '$scratch/root' ! -type d | grep ."
exit $status
