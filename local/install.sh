# shellcheck shell=bash disable=SC2154
# Sourced by deploy-local-dev.sh and test.sh: Debian's packages, and wheels by hash into .venv.
# Needs `root`, the folder of this checkout.
venv=$root/.venv
log=$root/var/install.log

fail() { echo "$0: $*" >&2 && exit 1; }

need() { command -v "$1" >/dev/null || fail "$1 is not on this machine: $2"; }

quietly() { # quietly WHAT COMMAND...: print WHAT; show the output of the command only if it fails
    local begun=$SECONDS
    printf '%s ... ' "$1"
    if ! "${@:2}" >"$log" 2>&1 </dev/null; then
        echo failed && tail -n 25 "$log" >&2
        fail "failed: $1 (see $log)"
    fi
    echo "$((SECONDS - begun)) s"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
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
        fail "this is not Debian; install these yourself: $* (or set RABBITMQ_HOST, or use --docker)"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "as root, run: apt-get install $*; then run this again"
        sudo -v || fail "you may not install packages; ask an administrator for: apt-get install $*"
    fi
    quietly "Installing $* (Debian)" apt_install "$@"
}

apt_install() {
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@")
    as_root "${install[@]}" || { as_root apt-get update && as_root "${install[@]}"; } || return
    # Debian starts a system-wide node. We run our own, and it was not there before us.
    case " $* " in *" rabbitmq-server "*) disable_broker ;; esac
}

disable_broker() { # with systemd or without
    as_root service rabbitmq-server stop || true
    as_root update-rc.d rabbitmq-server disable || true
    epmd -kill || true # its port mapper; refuses while any node is left
}

install_missing_packages() { # install_missing_packages NAME...: those, and Python if it is missing
    local packages=("$@")
    python=$(find_python)
    [ -n "$python" ] || packages+=(python3)
    [ -x "$venv/bin/python" ] || "${python:-false}" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
    [ ${#packages[@]} = 0 ] || install_packages "${packages[@]}"
    python=$(find_python)
    [ -n "$python" ] || fail "Python 3.11 or newer is required: install it"
}

has_rabbitmq() { compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*' >/dev/null; }

has_pip() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

make_venv() { # repaired if possible: it may hold more than we installed
    { "$python" -m venv "$venv" && has_pip; } || "$python" -m venv --clear "$venv"
}

extras() { # extras local|dev: of pyproject.toml
    echo rest worker client library video rpc protoc local
    [ "$1" = local ] || echo openvino milvus heic dev
}

install_requirements() { # install_requirements FILE
    has_pip || quietly "Making .venv with $("$python" --version)" make_venv
    # Bytecode is left to the first start, which compiles what is used, on all cores.
    quietly "Installing the Python packages" \
        "$venv/bin/python" -m pip install --no-compile --no-deps --require-hashes --requirement "$1"
    cp "$1" "$venv/"
}

compile_kernels() { # again if any of their sources changed: Numba only notices changes to a kernel's own file
    local made_of
    made_of=$(cd "$root" && grep -rliE --include='*.py' 'numba|worker\.simd' worker groups | LC_ALL=C sort | xargs cat | cksum)
    [ "$made_of" != "$(cat "$venv/kernels" 2>/dev/null)" ] || return 0
    find "$root/worker" "$root/groups" -name '*.nb[ci]' -delete
    (cd "$root" && quietly "Compiling the kernels for this processor" "$venv/bin/python" -m worker.warm && "$venv/bin/python" -m groups.warm)
    echo "$made_of" >"$venv/kernels"
}

generate_messages() { # of gRPC, again if the proto changed
    local proto=$root/rpc/facefleet.proto
    [ ! "$root/rpc/facefleet_pb2.py" -nt "$proto" ] || return 0
    (cd "$root" && quietly "Generating the messages of gRPC" "$venv/bin/python" -m rpc.generate)
}

install() { # install local|dev [PACKAGE...]: the wheels that requirements/all.lock has for it, and missing packages
    local lock=$root/var/$1.lock
    mkdir -p "$root/var"
    exec 9>"$root/var/install.lock"
    ! command -v flock >/dev/null || flock 9 # a second run waits here
    install_missing_packages "${@:2}"
    # shellcheck disable=SC2046 # the extras are words on purpose
    "$python" "$root/requirements/extras.py" $(extras "$1") >"$lock"
    cmp -s "$lock" "$venv/$1.lock" || install_requirements "$lock"
    generate_messages
    compile_kernels
    exec 9>&-
}
