#!/bin/sh
# Puts a base image for builds and container tests at foothold-base:local and says so: Debian 12 with Python 3.11.
# The public image is taken where one can be pulled; elsewhere the same is built from Debian's packages.
set -eu
image=foothold-base:local
public=${PUBLIC_BASE:-python:3.11-slim-bookworm}

if docker image inspect "$image" >/dev/null 2>&1; then
    echo "Base image $image is here already"
    exit 0
fi
# A registry that cannot be reached may hang rather than refuse.
if timeout 90 docker pull --quiet "$public" >/dev/null 2>&1; then
    docker tag "$public" "$image"
    echo "Base image $image is $public"
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null 2>&1; then
    echo "No public image can be pulled, and building one needs root and debootstrap" >&2
    exit 1
fi
echo "No public image can be pulled: building $image from Debian's packages ..."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$folder" >"$folder.log" 2>&1 || {
    tail -20 "$folder.log" >&2
    exit 1
}
rm -f "$folder.log"
# What this machine trusts, so that package registries can be reached from a build as they are from here.
cp -L /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* "$folder"/var/log/* \
    "$folder"/usr/share/doc/* "$folder"/usr/share/man/* "$folder"/usr/share/locale/*
tar -C "$folder" --numeric-owner -c . | docker import \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' - "$image" >/dev/null
echo "Base image $image is built"
