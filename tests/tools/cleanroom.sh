#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: cleanroom.sh [SCRATCH_DIR]
#
# Prove the two commands of README.md on a bare machine: debootstrap a minimal
# root of the host's Debian release, copy the tracked files into it, and run
# `make demo` and `make check` there in a chroot. Mirror, proxy and apt
# settings are read from the host's own apt configuration at run time. Needs
# root and debootstrap. KEEP=1 leaves the root behind; GOALS="check" tries other goals.
set -euo pipefail

fail() {
    echo "cleanroom: $*" >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || fail "needs root (debootstrap and chroot)"
source_tree=$(git rev-parse --show-toplevel 2>/dev/null) || fail "needs a git work tree, to know which files are tracked"
"$source_tree/tests/tools/need.sh" debootstrap
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || fail "/etc/os-release names no release"

# "URI SUITE COMPONENT" of every configured source of this release.
sources=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v c="$codename" '$2 == c || index($2, c "-") == 1' | sort -u)
mirror=$(awk -v c="$codename" '$2 == c && $3 == "main" { print $1; exit }' <<<"$sources")
[ -n "$mirror" ] || fail "the host's apt configuration has no source for $codename main"

scratch=$(mktemp -d "${1:-${TMPDIR:-/var/tmp}}/systole-cleanroom.XXXXXX")
root=$scratch/root

clean_up() {
    local mounted
    for mounted in "$root/proc" "$root/dev/shm" "$root/dev/pts"; do
        if mountpoint -q "$mounted"; then
            umount "$mounted" || umount -l "$mounted"
        fi
    done
    if [ -n "${KEEP:-}" ]; then
        echo "cleanroom: left in $scratch" >&2
    elif mountpoint -q "$root/proc"; then
        echo "cleanroom: could not unmount $root/proc; left in place" >&2
    else
        rm -rf --one-file-system "$scratch"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# The host's fetch settings (proxy, retries, certificates), as apt itself understands them.
settings=$scratch/apt.conf
apt-config dump | grep -E '^Acquire::' >"$settings" || true

echo "cleanroom: debootstrap $codename"
export http_proxy=${http_proxy:-$(apt-config shell p Acquire::http::Proxy | sed -n "s/^p='\(.*\)'$/\1/p")}
[ "$http_proxy" != "" ] && [ "$http_proxy" != DIRECT ] || unset http_proxy
debootstrap --variant=minbase --include=make,ca-certificates "$codename" "$root" "$mirror" >"$scratch/debootstrap.log" 2>&1 || {
    tail -20 "$scratch/debootstrap.log" >&2
    fail "debootstrap failed"
}

awk '{ print "deb", $1, $2, $3 }' <<<"$sources" >"$root/etc/apt/sources.list"
cp "$settings" "$root/etc/apt/apt.conf.d/90host"
# Files those settings name (certificates), and the certificates the host trusts.
sed -n 's/^.* "\(\/[^"]*\)";$/\1/p' "$settings" | while read -r file; do
    [ -f "$file" ] && install -D -m 644 "$file" "$root$file"
done || true
[ -f /etc/ssl/certs/ca-certificates.crt ] && install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
for file in /etc/resolv.conf /etc/hosts; do
    [ -f "$file" ] && cp -L "$file" "$root$file"
done
mount -t proc proc "$root/proc" 2>/dev/null || echo "cleanroom: no /proc in the chroot (not allowed here)" >&2

# Terminals for the tests that look at what a terminal shows.
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts" 2>/dev/null && ln -sf pts/ptmx "$root/dev/ptmx" ||
    echo "cleanroom: no terminals in the chroot (not allowed here)" >&2

mkdir -p "$root/src"
(cd "$source_tree" && git ls-files -z | tar -c --null -T - ) | tar -x -C "$root/src"

inside() {
    chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LC_ALL=C.UTF-8 ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        ${no_proxy:+no_proxy="$no_proxy"} "$@" </dev/null
}
inside apt-get update -q >"$scratch/update.log" 2>&1 || { tail -5 "$scratch/update.log" >&2; fail "apt-get update failed in the chroot"; }
# The second demo is the quick one.
for goal in ${GOALS:-demo check demo}; do
    started=$SECONDS
    echo "cleanroom: make $goal"
    inside make -C /src -j"$(nproc)" "$goal" || fail "make $goal failed in a bare $codename"
    echo "cleanroom: make $goal took $((SECONDS - started)) s"
done
echo "cleanroom: passed"
