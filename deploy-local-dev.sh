#!/bin/bash
# Facefleet on this machine:
#
#   ./deploy-local-dev.sh                install what is missing, start everything, say what to try
#   ./deploy-local-dev.sh demo           send sample photographs and show who matches whom
#   ./deploy-local-dev.sh status         show what is running
#   ./deploy-local-dev.sh logs [KEY]     watch the fleet work
#   ./deploy-local-dev.sh facefleet ...  run a facefleet command, such as: facefleet scan ~/Pictures
#   ./deploy-local-dev.sh restart        stop and start, with the current settings
#   ./deploy-local-dev.sh stop           stop; workers finish the picture they are at
#
#   ./deploy-local-dev.sh --docker    the same in containers, with docker compose
#   ./deploy-local-dev.sh --k8s       the same in the cluster that kubectl points at
#
# Needs Debian 12 or similar. Data and logs are kept in var/. Set REDIS_HOST or RABBITMQ_HOST to use servers of your
# own instead of the ones started here; README.md lists all settings.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=local/install.sh
source "$root/local/install.sh"

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

case ${1-} in
-h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
stop | status) [ -e "$venv/local.lock" ] || fail "nothing has been started here yet" ;;
--docker) in_docker "${@:2}" && exit ;;
--k8s) in_cluster ;;
esac
packages=()
[ -n "${RABBITMQ_HOST:-}" ] || has_rabbitmq || packages+=(rabbitmq-server)
install local "${packages[@]}"
unset PYTHONDONTWRITEBYTECODE # a start takes seconds less once the bytecode is there
PYTHONPATH=$root exec "$venv/bin/python" -P -m local "$@"
