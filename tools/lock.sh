#!/bin/sh
# Locks requirements/*.txt with hashes from pyproject.toml, for every platform at once and Python 3.11 upwards.
# The development set is solved first and holds all the others, so that one version of everything is tested and shipped.
set -eu
cd "$(dirname "$0")/.."
compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --custom-compile-command "make lock" "$@"
}
compile --upgrade pyproject.toml --extra embedded --group build --group dev -o requirements/dev.txt
compile pyproject.toml --extra embedded --group build -c requirements/dev.txt -o requirements/run.txt
compile pyproject.toml -c requirements/dev.txt -o requirements/image.txt
compile --group build -c requirements/dev.txt -o requirements/build.txt
