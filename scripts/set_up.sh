#!/bin/sh
# Make the virtual environment .venv with Engram and its checkers in it. Needs a Python 3.11 to 3.13 with pip, nothing else:
# Debian's python3 comes without ensurepip, so pip is then brought in from outside.
# Usage: scripts/set_up.sh [VENV]   (PYTHON=/path/to/python chooses the interpreter)
set -eu

venv=${1:-.venv}
cd "$(dirname "$0")/.."

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# A Python that the user names is taken or refused, never replaced by another.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if suits "$PYTHON"; then
            command -v "$PYTHON"
            return
        fi
        found=$(version_of "$PYTHON" || true)
        echo "PYTHON=$PYTHON ${found:+is Python $found, which }does not suit: Engram needs Python 3.11, 3.12 or 3.13." >&2
        echo "Name another: make PYTHON=/path/to/python3.11" >&2
        return 1
    fi
    for candidate in python3.11 python3.12 python3.13 python3 python; do
        if suits "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    echo "Engram needs Python 3.11, 3.12 or 3.13 and found none of them." >&2
    echo "Install one (Debian: apt-get install python3 python3-pip) or name it: make PYTHON=/path/to/python3.11" >&2
    return 1
}

# Whether the virtual environment can stay: it works, and it is of the Python that the user named, if any.
fits() {
    suits "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$venv/bin/python")" ]
}

make_venv() {
    python=$(find_python)
    echo "Making $venv with $("$python" --version) ($python)"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv --clear "$venv"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip "$venv"
        "$python" -m pip --python "$venv/bin/python" install --quiet pip
    else
        echo "$python has neither ensurepip nor pip. Install one (Debian: apt-get install python3-pip) and call again." >&2
        return 1
    fi
}

fits || make_venv
echo "Installing Engram's packages into $venv (about 1 GB the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
