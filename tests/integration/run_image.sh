#!/bin/sh
# Runs a command in an image's root as Kubernetes would: nothing can be written but /tmp, the user is the image's,
# the network is the host's. The process keeps this one's pid, so that signals reach it.
#
#   unshare --mount tests/integration/run_image.sh ROOT TMP USER FOLDER VARIABLE=VALUE... COMMAND ARGUMENT...
set -eu
root=$1 tmp=$2 user=$3 folder=$4
shift 4
mount --bind "$root" "$root"
mount --bind "$tmp" "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" env -i -C "$folder" "$@"
