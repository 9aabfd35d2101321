#!/bin/bash
# All tests: installs what they need, then lint, types, unit, integration and end to end.
#
#   ./test.sh                 everything
#   ./test.sh tests/unit -k x only these, with pytest's own words
#
# Wants Debian 12 or alike. The tests start their own servers on free ports and stop them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"
# shellcheck source=local/install.sh
source "$root/local/install.sh"

packages=()
has_rabbitmq || packages+=(rabbitmq-server)
for pair in redis-server:redis-server buildah:buildah mmdebstrap:mmdebstrap promtool:prometheus; do
    command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
done
install dev "${packages[@]}"

export PATH=$venv/bin:$PATH
[ $# = 0 ] || exec python -m pytest "$@"
ruff format --check
ruff check
mypy
python -m pytest
