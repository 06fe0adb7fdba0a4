# What the scripts share: a virtual environment of the checkout's own, and servers for the tests. To be sourced, not run.
# Needs bash and a Python 3.11 or later (PYTHON=... chooses one); apt-get is used where it helps, and only by root.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
python=$venv/bin/python

note() { printf '%s\n' "$*" >&2; }
fail() {
  note "$*"
  exit 1
}

# need EXTRA: a .venv with this checkout and one of its extras (embedded, test or dev), installed again only after
# pyproject.toml has changed or the checkout was moved.
need() {
  local state extra
  state="$root $(cksum <"$root/pyproject.toml")"
  recent "$python" || make_venv
  [[ $(cat "$venv/.installed-$1" 2>/dev/null) == "$state" ]] && return
  note "Installing coredis[$1] into .venv ..."
  "$python" -m pip install -qq --disable-pip-version-check -e "$root[$1]" || fail "Nothing was run: pip failed."
  for extra in $(includes "$1"); do echo "$state" >"$venv/.installed-$extra"; done
}

# What installing an extra brings with it: see pyproject.toml.
includes() {
  case $1 in
    dev) echo embedded test dev ;;
    test) echo embedded test ;;
    *) echo "$1" ;;
  esac
}

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

make_venv() {
  local candidate base=
  for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if recent "$candidate"; then
      base=$candidate
      break
    fi
  done
  [[ $base ]] || fail "Python 3.11 or later is needed; PYTHON=/path/to/python3 chooses one."
  note "Making .venv with $("$base" --version) ..."
  rm -rf "$venv"
  "$base" -m venv "$venv" >/dev/null 2>&1 && return
  # Debian has what puts pip into a new environment in a package of its own; pip itself can do it too.
  rm -rf "$venv"
  "$base" -m venv --without-pip "$venv" >/dev/null 2>&1 &&
    "$base" -m pip --python "$python" install -qq --disable-pip-version-check pip >/dev/null 2>&1 && return
  rm -rf "$venv"
  apt_install python3-venv && "$base" -m venv "$venv" && return
  fail "Python cannot make a virtual environment here: install python3-venv (apt-get install python3-venv)."
}

# apt_install PACKAGE: false when this is not root, or apt cannot.
apt_install() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
  note "Installing $1 with apt-get ..."
  {
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$1" ||
      { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$1"; }
  } >/dev/null 2>&1
}

# find_servers: sees to it that the tests have the system's Redis; tests/support/programs.py finds the others by itself.
# The package may start a service on the usual port or not: the tests start their own servers on ports of their own.
find_servers() {
  local cached=$HOME/.cache/redis8/redis-server
  command -v redis-server >/dev/null || apt_install redis-server ||
    note "No redis-server here (apt-get install redis-server): testing against the other servers only."
  command -v openssl >/dev/null || apt_install openssl || note "No openssl here: it makes the certificates of the TLS tests."
  # Where the script that installs Redis 8 puts it, for a checkout that does not have the script beside it.
  if [[ ! -e $root/../shared/servers/redis8 && -x $cached ]]; then
    export COREDIS_TEST_SERVERS=${COREDIS_TEST_SERVERS:+$COREDIS_TEST_SERVERS:}$cached
  fi
}
