#!/bin/bash
# Facefleet on this machine:
#
#   ./deploy-local-dev.sh             install what is missing, start all of it, say what to try
#   ./deploy-local-dev.sh demo        send sample photographs and show who matches whom
#   ./deploy-local-dev.sh status      show what runs
#   ./deploy-local-dev.sh logs [KEY]  watch the fleet work
#   ./deploy-local-dev.sh client ...  run a command of the client, such as: client scan ~/Pictures
#   ./deploy-local-dev.sh restart     stop and start, with the settings of now
#   ./deploy-local-dev.sh stop        stop; workers finish the picture in hand
#
#   ./deploy-local-dev.sh --docker    the same in containers, with docker compose
#   ./deploy-local-dev.sh --k8s       the same in the cluster that kubectl points at
#
# Wants Debian 12 or alike. Data and logs lie in var/. A Redis or RabbitMQ that REDIS_HOST or RABBITMQ_HOST
# names is used instead of one of our own; README.md lists all settings.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$root/.venv
lock=$root/requirements/local.lock
log=$root/var/install.log

fail() { echo "./deploy-local-dev.sh: $*" >&2 && exit 1; }

need() { command -v "$1" >/dev/null || fail "$1 is not on this machine: $2"; }

quietly() { # quietly WHAT COMMAND...: say what is done; show what the command wrote only if it fails
    local begun=$SECONDS
    printf '%s ... ' "$1"
    if ! "${@:2}" >"$log" 2>&1 </dev/null; then
        echo failed && tail -n 25 "$log" >&2
        fail "this did not work: $1 (all of it: $log)"
    fi
    echo "$((SECONDS - begun)) s"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

in_docker() {
    need docker "install Docker, or run without --docker"
    docker compose version >/dev/null 2>&1 || fail "this Docker has no 'compose' command: install the Compose plugin"
    docker info >/dev/null 2>&1 || fail "Docker's daemon does not answer: start it, or run without --docker"
    docker compose --project-directory "$root" up --build --detach --wait "$@"
    echo "Ready: http://127.0.0.1:5000, logs: docker compose logs --follow logs, end: docker compose down"
}

in_cluster() {
    need kubectl "install it, or run without --k8s"
    kubectl version >/dev/null 2>&1 || fail "kubectl reaches no cluster: see 'kubectl config get-contexts', or run without --k8s"
    "$root/k8s/secrets/generate"
    kubectl apply -k "$root/k8s/overlays/local"
    kubectl rollout status deployment/rest deployment/worker --timeout=300s ||
        fail "the pods do not become ready: 'kubectl get pods'; the cluster needs the images facefleet/rest and facefleet/worker"
    echo "Ready: http://127.0.0.1:5000, until Ctrl-C"
    exec kubectl port-forward service/rest 5000
}

find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name" && return
        fi
    done
}

install_packages() { # install_packages NAME...: from Debian
    command -v apt-get >/dev/null ||
        fail "install these yourself, as this is not Debian: $* (or name a RabbitMQ with RABBITMQ_HOST, or use --docker)"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "run this as root, then run me again: apt-get install $*"
        sudo -v || fail "no right to install packages; ask for: apt-get install $*"
    fi
    quietly "Installing $* (Debian)" apt_install "$@"
}

apt_install() {
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@")
    as_root "${install[@]}" || { as_root apt-get update && as_root "${install[@]}"; } || return
    # Debian starts a node for the whole machine. We run one of our own; this one was not there before us.
    case " $* " in *" rabbitmq-server "*) disable_broker ;; esac
}

disable_broker() { # whatever starts services here, systemd or not
    as_root service rabbitmq-server stop || true
    as_root update-rc.d rabbitmq-server disable || true
    epmd -kill || true # its port mapper, which refuses while any node is left
}

install_missing_packages() {
    local packages=()
    python=$(find_python)
    [ -n "$python" ] || packages+=(python3)
    [ -x "$venv/bin/python" ] || "${python:-false}" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
    [ -n "${RABBITMQ_HOST:-}" ] || compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*' >/dev/null ||
        packages+=(rabbitmq-server)
    [ ${#packages[@]} = 0 ] || install_packages "${packages[@]}"
    python=$(find_python)
    [ -n "$python" ] || fail "there is no Python 3.11 or newer here: install one"
}

has_pip() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

make_venv() { # mended if it can be: it may hold more than we put there
    { "$python" -m venv "$venv" && has_pip; } || "$python" -m venv --clear "$venv"
}

install_requirements() {
    has_pip || quietly "Making .venv with $("$python" --version)" make_venv
    # Bytecode is left to the first start: it compiles what is used, and in all the cores at once.
    quietly "Installing the Python packages" \
        "$venv/bin/python" -m pip install --no-compile --no-deps --require-hashes --requirement "$lock"
    cp "$lock" "$venv/local.lock"
}

install() {
    mkdir -p "$root/var"
    exec 9>"$root/var/install.lock"
    ! command -v flock >/dev/null || flock 9 # a second run waits here
    install_missing_packages
    cmp -s "$lock" "$venv/local.lock" || install_requirements
    exec 9>&-
}

case ${1-} in
-h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
stop | status) [ -e "$venv/local.lock" ] || fail "nothing was ever started here" ;;
--docker) in_docker "${@:2}" && exit ;;
--k8s) in_cluster ;;
esac
install
unset PYTHONDONTWRITEBYTECODE # a start takes seconds less once the bytecode is there
PYTHONPATH=$root exec "$venv/bin/python" -P -m local "$@"
