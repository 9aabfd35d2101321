#!/bin/sh
# Runs a command in an image's root as Kubernetes would: nothing can be written but /tmp, the user is the image's,
# the network is the host's. The process keeps this one's pid, so that signals reach it.
#
#   run_image.sh ROOT TMP USER FOLDER VARIABLE=VALUE... COMMAND ARGUMENT...
set -eu
# All mounts are made where nobody else sees them, and they end with the process.
[ "$1" = inside ] || exec unshare --mount --propagation private "$0" inside "$@"
root=$2 tmp=$3 user=$4 folder=$5
shift 5
mount --bind "$root" "$root"
mount --bind "$tmp" "$root/tmp"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev" # with devices of its own: what is removed here is not removed elsewhere
cp -a /dev/null /dev/zero /dev/random /dev/urandom "$root/dev"
mkdir -m 1777 "$root/dev/shm"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" env -i -C "$folder" "$@"
