#!/bin/bash
# All tests: installs what they need, then lint, types, unit, integration and end-to-end tests.
#
#   ./test.sh                 everything
#   ./test.sh fast            lint, types and unit tests
#   ./test.sh tests/unit -k x only these, with pytest's own arguments
#
# Needs Debian 12 or similar. The tests start their own servers on free ports and stop them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"
# shellcheck source=local/install.sh
source "$root/local/install.sh"

packages=()
if [ "${1-}" != fast ]; then
    has_rabbitmq || packages+=(rabbitmq-server)
    for pair in redis-server:redis-server buildah:buildah mmdebstrap:mmdebstrap promtool:prometheus \
        podman:podman runc:runc catatonit:catatonit podman-compose:podman-compose haproxy:haproxy ip:iproute2 \
        chromium:chromium; do
        command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
    done
    [ -x /usr/lib/podman/netavark ] || packages+=(netavark aardvark-dns)
fi
install dev "${packages[@]}"
export PATH=$venv/bin:$PATH

check() { # lint and types, both at once
    mypy &
    ruff format --check && ruff check
    wait $!
}

case ${1-} in
'') check && exec python -m pytest -n 4 --cov --cov-report=term --cov-fail-under=83 ;;
fast) check && exec python -m pytest -n 2 tests/unit ;;
*) exec python -m pytest "$@" ;;
esac
