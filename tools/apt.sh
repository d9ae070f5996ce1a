#!/bin/sh
# Installs Debian packages, only as root on Debian or Ubuntu; elsewhere it does nothing and fails.
set -eu
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    exit 1
fi
echo "Installing with apt: $*"
export DEBIAN_FRONTEND=noninteractive
# The lists may be missing or old: one refresh, and only when the packages are not found as things stand.
apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && exit 0
apt-get update -qq >/dev/null
apt-get install -y -qq --no-install-recommends "$@" >/dev/null
