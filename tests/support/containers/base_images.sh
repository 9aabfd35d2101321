#!/bin/sh
# Makes the images that a registry would give, for machines that reach none: Debian with its own packages, bookworm where
# nothing else is said, committed under the names that Dockerfiles and manifests ask for. What exists already is kept.
#
#   base_images.sh STORAGE DRIVER python NAME      Python 3.11; half a minute, 250 MB
#   base_images.sh STORAGE DRIVER brokers NAME...  Redis 7.0, RabbitMQ 3.10 and HAProxy 2.6, one image under each name
#   base_images.sh STORAGE DRIVER newer-redis NAME Redis 8.0, from Debian trixie
set -eu
storage=$1 driver=$2 kind=$3 name=$4
shift 3
buildah() { command buildah --root "$storage/root" --runroot "$storage/run" --storage-driver "$driver" "$@"; }

tag() { # tag OTHER...
    for other in "$@"; do buildah tag "$name" "$other"; done
}

buildah inspect --type image "$name" >/dev/null 2>&1 && tag "$@" && exit 0
mkdir -p "$storage"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bootstrap() { # bootstrap SUITE PACKAGES OPTION...
    suite=$1 packages=$2
    shift 2
    mmdebstrap --quiet --variant=minbase --include="$packages" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$@" "$suite" "$work/base.tar"
}

commit() { # commit OPTION... -- NAME...
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/base.tar" / >/dev/null
    while [ "$1" != -- ]; do buildah config "$1" "$container" && shift; done
    buildah commit --quiet --rm "$container" "$2" >/dev/null
    shift
    tag "$@"
}

# shellcheck disable=SC2016 -- mmdebstrap expands $1
case $kind in
python) # the official image has its interpreter in /usr/local/bin
    bootstrap bookworm python3,python3-venv,ca-certificates --customize-hook='ln -s ../../bin/python3.11 "$1/usr/local/bin/python"'
    commit --env=PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --cmd=python -- "$@"
    ;;
brokers) # the official images have the user 999 for both, and data in these folders
    bootstrap bookworm redis-server,rabbitmq-server,haproxy \
        --customize-hook='chroot "$1" usermod --uid 999 rabbitmq' \
        --customize-hook='chroot "$1" groupmod --gid 999 rabbitmq' \
        --customize-hook='mkdir "$1/data" && rm -rf "$1/etc/redis" "$1/var/lib/rabbitmq" && mkdir "$1/var/lib/rabbitmq"' \
        --customize-hook='chown 999:999 "$1/data" "$1/var/lib/rabbitmq"' \
        --customize-hook='ln -s "$(basename "$1"/usr/lib/rabbitmq/lib/rabbitmq_server-*)" "$1/usr/lib/rabbitmq/lib/server"'
    # the scripts themselves: the wrappers in /usr/sbin change the user
    commit --env=PATH=/usr/lib/rabbitmq/lib/server/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        --env=RABBITMQ_MNESIA_BASE=/var/lib/rabbitmq/mnesia --env=RABBITMQ_LOGS=- \
        --env=RABBITMQ_LOG_BASE=/var/lib/rabbitmq/log --cmd=rabbitmq-server -- "$@"
    ;;
newer-redis)
    bootstrap trixie redis-server \
        --customize-hook='mkdir "$1/data" && rm -rf "$1/etc/redis"' --customize-hook='chown 999:999 "$1/data"'
    commit --env=PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd=redis-server -- "$@"
    ;;
esac
