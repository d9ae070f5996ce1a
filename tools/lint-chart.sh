#!/bin/sh
# helm lint, strictly, with the default values and with every set of values in charts/foothold/ci.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.tools/bin:$PATH"
if ! command -v helm >/dev/null 2>&1; then
    echo "No helm for this system: the chart is not linted here (put helm on the PATH to lint it)." >&2
    exit 0
fi
for values in charts/foothold/ci/*-values.yaml; do
    helm lint --quiet --strict charts/foothold --values "$values"
    echo "charts/foothold with $values: fine"
done
