#!/usr/bin/env bash
# Fails where proto/ would break a caller of a contract that main has already promised (buf breaking, rule FILE).
# Two promises are compared, each where it exists (docs/decisions/0702-contract-baseline.md):
#   contracts/landed.binpb  what the last landed issue promised; needs no history, so a shallow clone can check
#   origin/main             what has landed since, in a clone that knows its origin
set -euo pipefail
cd "$(dirname "$0")/.."
buf=tools/node/node_modules/.bin/buf
compared=no

if [ -f contracts/landed.binpb ]; then
    "$buf" breaking --against contracts/landed.binpb
    echo "proto/ keeps what contracts/landed.binpb promised"
    compared=yes
fi
base=$(git rev-parse --quiet --verify origin/main 2>/dev/null || true)
if [ -n "$base" ] && [ "$base" != "$(git rev-parse HEAD)" ] && git cat-file -e "$base:buf.yaml" 2>/dev/null; then
    "$buf" breaking --against ".git#ref=$base"
    echo "proto/ keeps what origin/main promises"
    compared=yes
fi
if [ "$compared" = no ]; then
    echo "No contract has landed yet: nothing can break"
fi
