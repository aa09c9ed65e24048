#!/usr/bin/env bash
# Makes .venv with the interpreter given, and says how to mend it where that cannot work.
set -euo pipefail
python=$1

command -v "$python" >/dev/null || { echo >&2 "$python is missing: install Python 3.11 or later"; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo >&2 "$("$python" --version) is too old: Oakroot needs 3.11 or later (make PYTHON=python3.12 …)"
    exit 1
}
# Debian ships Python without the parts of venv that bring pip.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update --quiet=2
        DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --no-install-recommends python3-venv
    else
        echo >&2 "$python has no ensurepip: install your system's venv package (Debian: apt-get install python3-venv)"
        exit 1
    fi
fi
"$python" -m venv .venv
