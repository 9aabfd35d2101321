#!/bin/sh
# Prepares the base image of both Dockerfiles for machines that reach no image registry: Debian bookworm with its
# own Python 3.11, committed under the name that FROM asks for. Does nothing where it is there already.
#
#   tests/integration/base_image.sh STORAGE        STORAGE: buildah's folder; about half a minute, 250 MB
set -eu
name=python:3.11-slim-bookworm
storage=$1
buildah() { command buildah --root "$storage/root" --runroot "$storage/run" "$@"; }

buildah inspect --type image "$name" >/dev/null 2>&1 && exit 0
mkdir -p "$storage"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# the official image has its interpreter in /usr/local/bin
# shellcheck disable=SC2016 -- mmdebstrap expands $1
mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='ln -s ../../bin/python3.11 "$1/usr/local/bin/python"' \
    bookworm "$work/base.tar"
container=$(buildah from scratch)
buildah add --quiet "$container" "$work/base.tar" / >/dev/null
buildah config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --cmd python "$container"
buildah commit --quiet --rm "$container" "$name" >/dev/null
