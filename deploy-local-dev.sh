#!/bin/bash
# Facefleet on this machine:
#
#   ./deploy-local-dev.sh                install what is missing, start everything, say what to try
#   ./deploy-local-dev.sh demo           send sample photographs and show who matches whom
#   ./deploy-local-dev.sh status         show what is running
#   ./deploy-local-dev.sh logs [KEY]     watch the fleet work
#   ./deploy-local-dev.sh facefleet ...  run a facefleet command, such as: facefleet scan ~/Pictures
#   ./deploy-local-dev.sh restart        stop and start, with the current settings
#   ./deploy-local-dev.sh stop           stop; workers finish their current picture
#
#   ./deploy-local-dev.sh --docker    the same in containers, with docker compose
#   ./deploy-local-dev.sh --k8s       the same in a local cluster that kubectl points at, such as kind's
#   ./deploy-local-dev.sh --k8s delete  delete it there, every face included
#
# Needs Debian 12 or similar. Data and logs are kept in var/. Set REDIS_HOST or RABBITMQ_HOST to use servers of your
# own instead of the ones started here; README.md lists all settings.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=local/install.sh
source "$root/local/install.sh"

revision() { git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown; } # what images say they were made of

in_docker() {
    need docker "install Docker, or run without --docker"
    docker compose version >/dev/null 2>&1 || fail "this Docker has no 'compose' command: install the Compose plugin"
    docker info >/dev/null 2>&1 || fail "Docker's daemon does not answer: start it, or run without --docker"
    REVISION=$(revision) docker compose --project-directory "$root" up --build --detach --wait "$@"
    echo "Ready: the page is http://127.0.0.1:${PORT:-5000}, logs: docker compose logs --follow logs, end: docker compose down"
}

in_cluster() { # in_cluster [delete]: only where nobody else is, for the server asks for no key
    need kubectl "install it, or run without --k8s"
    local context images version
    context=$(kubectl config current-context 2>/dev/null) ||
        fail "kubectl has no current context: see 'kubectl config get-contexts', or run without --k8s"
    case $context in
    kind-* | k3d-* | minikube | docker-desktop | rancher-desktop | orbstack | colima*) ;;
    *) fail "kubectl's context '$context' is no local cluster that I know, and this deploys without API keys. For others see docs/operations.md" ;;
    esac
    kubectl() { command kubectl --context "$context" --namespace facefleet "$@"; }
    kubectl version >/dev/null 2>&1 || fail "the cluster '$context' does not answer: start it, or run without --k8s"
    if [ "${1-}" = delete ]; then
        kubectl delete namespace facefleet && return
    fi
    version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/pyproject.toml")
    images=("facefleet-rest:$version" "facefleet-worker:$version")
    need docker "install Docker, which builds the images, or run without --k8s"
    for image in "${images[@]}"; do
        name=${image%%:*}
        docker build --file "$root/Dockerfile.${name#facefleet-}" --build-arg "REVISION=$(revision)" --tag "$image" "$root"
    done
    load_images "$context" "${images[@]}"
    kubectl get namespace facefleet >/dev/null 2>&1 || kubectl create namespace facefleet
    "$root/k8s/secrets/generate" --context "$context" --namespace facefleet
    kubectl apply -k "$root/k8s/overlays/local"
    # the images may be new under the same name
    kubectl rollout restart deployment/rest deployment/rpc deployment/worker deployment/groups deployment/logs
    kubectl rollout status deployment/rest --timeout=300s && kubectl rollout status deployment/worker --timeout=300s ||
        fail "the pods do not become ready: 'kubectl --context $context --namespace facefleet get pods'"
    echo "Ready: the page is http://127.0.0.1:5000, until Ctrl-C. To delete all of it, every face included: $0 --k8s delete"
    kubectl port-forward service/rest 5000
}

load_images() { # load_images CONTEXT IMAGE...: into the nodes of the cluster, where they do not see Docker's own
    case $1 in
    kind-*) need kind "it made this cluster" && kind load docker-image --name "${1#kind-}" "${@:2}" ;;
    k3d-*) need k3d "it made this cluster" && k3d image import --cluster "${1#k3d-}" "${@:2}" ;;
    minikube) need minikube "it made this cluster" && minikube image load "${@:2}" ;;
    esac
}

case ${1-} in
-h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
stop | status) [ -e "$venv/local.lock" ] || fail "nothing has been started here yet" ;;
--docker) in_docker "${@:2}" && exit ;;
--k8s) in_cluster "${@:2}" && exit ;;
esac
packages=()
[ -n "${RABBITMQ_HOST:-}" ] || has_rabbitmq || packages+=(rabbitmq-server)
install local "${packages[@]}"
unset PYTHONDONTWRITEBYTECODE # a start takes seconds less once the bytecode is there
PYTHONPATH=$root exec "$venv/bin/python" -P -m local "$@"
