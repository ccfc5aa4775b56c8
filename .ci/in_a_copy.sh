# What each program of this folder begins with: it works on a copy of the tree in a temporary folder, step by step.
#
# So nobody's own .venv is touched, and nothing that lies around in the tree can help a step that should fail.
set -euo pipefail
export CI=true # hypothesis then draws the same examples in every run

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree"
tar -C "$tree" --exclude=./.git --exclude=./.venv --exclude=./docs/_build --exclude=__pycache__ -cf - . |
    tar -C "$work/tree" -xf -
cd "$work/tree"

# A step is one line, printed and then run in a shell of its own: in this one `set -e` would overlook a failure that is
# not the last of a && b && c.
step() {
    printf '\n== %s\n' "$1"
    bash -euo pipefail -c "$1"
}

# Steps that do not need each other run side by side; what they print comes when all are done.
at_once() {
    local command failed=0 jobs=()
    for command in "$@"; do
        bash -euo pipefail -c "$command" > "$work/output.${#jobs[@]}" 2>&1 &
        jobs+=($!)
    done
    for command in "$@"; do
        wait "${jobs[0]}" || failed=1
        jobs=("${jobs[@]:1}")
        printf '\n== %s\n' "$command"
        cat "$work/output.$(($# - ${#jobs[@]} - 1))"
    done
    return $failed
}
