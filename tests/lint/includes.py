#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that #include lines follow the arrows of docs/design.md.

Every quoted include is a path from the root of the tree. A folder may include
itself, sim/base, and what its arrows reach.
"""
import os
import re
import subprocess
import sys

# folder: what it may include, besides itself and sim/base
ARROWS = {
    "sim/base": [],
    "sim/kernel": [],
    "workloads": [],
    "traces": ["workloads"],
    "arch": ["workloads"],
    "sim/map": ["arch", "workloads"],
    "sim/stats": ["arch"],
    "sim/engine": ["sim/map", "sim/kernel", "sim/stats", "traces"],
    "sim/report": ["sim/stats"],
    "sim/validate": ["sim/engine"],
    "sim/explore": ["sim/include"],
    "sim/cli": ["sim/include"],
    "sim/include": [],
    "tests/api": ["sim/include"],
}
# sim/systole*.c, the library's face, and the other tests may include anything.
FREE = ["tests"]
FACE = re.compile(r"^sim/systole[a-z0-9_]*\.[ch]$")
# Nothing outside uses the base: the public header and its tests stand alone.
NO_BASE = ["sim/include", "tests/api"]
# A library's headers stay in the folder that wraps it.
WRAPPED = {"systemc": ["sim/kernel"], "systemc.h": ["sim/kernel"], "zlib.h": ["traces"], "yaml.h": ["sim/base", "arch"]}

# Headers that the build writes into its own folder have no path in the tree.
with open("Makefile", encoding="utf-8") as makefile:
    GENERATED = set(re.findall(r"^\$\(OUT\)/gen/([a-z0-9_]+\.h):", makefile.read(), re.MULTILINE))

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def closure():
    """Arrows are transitive."""
    reach = {folder: set(targets) for folder, targets in ARROWS.items()}
    grown = True
    while grown:
        grown = False
        for targets in reach.values():
            more = set().union(*(reach[t] for t in targets)) - targets if targets else set()
            if more:
                targets |= more
                grown = True
    return reach


def folder_of(path):
    if FACE.match(path):
        return "face"
    matches = [f for f in list(ARROWS) + FREE if path.startswith(f + "/")]
    return max(matches, key=len) if matches else None


def check_line(path, kind, target, reach):
    """Why this include is wrong, or None."""
    home = folder_of(path)
    if kind == "<":
        owners = WRAPPED.get(target)
        if owners and home not in owners + ["tests"]:
            return f"<{target}> belongs to {owners[0]}"
        return None
    if target in GENERATED:
        return None
    if not os.path.exists(target):
        return f'"{target}" is not a path from the root of the tree'
    goal = folder_of(target)
    if goal == "tests" and home not in ("tests", "tests/api"):
        return "only tests include tests"
    if home in ("face", "tests") or goal == home:
        return None
    if goal == "sim/base":
        return "stands alone, may not include sim/base" if home in NO_BASE else None
    if goal == "tests" and home == "tests/api":
        return None
    if goal not in reach.get(home, ()):
        return f"no arrow from {home} to {goal}"
    return None


def main():
    files = subprocess.run(["bash", "-c", ". tests/lint/common.sh; c_files"], check=True, capture_output=True,
                           text=True).stdout.split()
    reach = closure()
    bad = 0
    for path in files:
        with open(path, encoding="utf-8") as source:
            for number, line in enumerate(source, 1):
                match = INCLUDE.match(line)
                why = check_line(path, match.group(1), match.group(2), reach) if match else None
                if why:
                    print(f"{path}:{number}: {why}")
                    bad += 1
    return 1 if bad else 0


sys.exit(main())
