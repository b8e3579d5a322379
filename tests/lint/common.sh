# SPDX-License-Identifier: Apache-2.0
# Sourced by the lint scripts. Lists what is checked: tracked files and new
# ones that are not ignored, or every file when there is no repository.
# shellcheck shell=bash
set -u

tree_files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
            [ -e "$file" ] && printf '%s\n' "$file"
        done
    else
        find . -path ./build -prune -o -path ./.git -prune -o -type f -print | sed 's|^\./||'
    fi | sort
}

c_files() {
    tree_files | grep -E '\.(c|h|cpp)$'
}
