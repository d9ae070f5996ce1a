#!/bin/sh
# Makes a virtual environment in the folder given, with the first Python here that is new enough.
set -eu
folder=$1
for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        # Debian ships the venv module without the part that puts pip inside: ask for both.
        if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
            echo "$python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2
            exit 1
        fi
        "$python" -m venv "$folder"
        exit 0
    fi
done
echo "Foothold needs Python 3.11 or newer. Found: $(python3 --version 2>/dev/null || echo none)." >&2
echo "On Debian 12 or Ubuntu 24.04: apt install python3 python3-venv. On macOS: brew install python@3.13." >&2
echo "A Python in another place: make run PYTHON=/path/to/python3.11 (exported, or on the command line)." >&2
exit 1
