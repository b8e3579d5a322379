#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: need.sh PACKAGE...
# Install the Debian packages that are missing. Says nothing and is instant
# when none is. On a system without dpkg it only says what is wanted.
set -u

if ! command -v dpkg-query >/dev/null; then
    echo "need.sh: this is not a Debian system; make sure you have what these packages hold: $*" >&2
    exit 0
fi

missing=()
for package in "$@"; do
    state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)
    [ "$state" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "need.sh: missing packages; as root run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null
}

echo "installing: ${missing[*]}" >&2
# A fresh machine has no package lists, an old one has stale ones: fetch them when the first try fails.
if ! output=$(install 2>&1); then
    if ! output=$("${as_root[@]}" apt-get update -q </dev/null 2>&1) || ! output=$(install 2>&1); then
        printf '%s\n' "$output" >&2
        echo "need.sh: installing failed; as root try: apt-get update && apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi
