# shellcheck shell=bash
# What examples/run and tests/run have in common: to fetch what a bare Debian or
# Ubuntu lacks, to build, and to say what is going on. It stands in examples/
# because the tests start the examples, never the other way round.
#
# Sourced by bash under `set -eu`, with $top set to the top of the sources.

# Debian's Meson and its Python modules belong to Debian's own Python, so what
# the system has installed comes before what a home directory has.
PATH=/usr/bin:/bin:$PATH

logs=${top:?}/build/logs
mkdir -p "$logs"

# Progress: one line for each step, which shows when it began, and dots while it
# runs. What it prints goes to a log, whose end is shown if it fails.

clock() {
  printf '%2d:%02d' $((SECONDS / 60)) $((SECONDS % 60))
}

say() {
  printf '%s  %s\n' "$(clock)" "$*"
}

dots=

dots_end() {
  if [ -n "$dots" ]; then
    kill "$dots" 2>/dev/null || true
    wait "$dots" 2>/dev/null || true
    dots=
  fi
}
trap dots_end EXIT

dots_begin() {
  (while sleep 3 >/dev/null; do printf .; done) &
  dots=$!
}

# attempt LOG TITLE COMMAND...: the step's line is left open for its outcome.
attempt() {
  local log=$logs/$1.log title=$2 status=0
  shift 2

  printf '%s  %s ' "$(clock)" "$title"
  dots_begin
  "$@" >"$log" 2>&1 </dev/null || status=$?
  dots_end
  return "$status"
}

# step LOG TITLE COMMAND...: one that the rest cannot do without.
step() {
  local status=0

  attempt "$@" || status=$?
  if [ "$status" -ne 0 ]; then
    echo failed
    tail -n 40 "$logs/$1.log" | sed 's/^/       | /'
    echo "       The whole log: $logs/$1.log"
    exit 1
  fi
  echo ok
}

# What is needed: a shell command that succeeds if it is here, the packages of
# Debian and Ubuntu that bring it, and its name everywhere else.

must=() may=()

need() {
  must+=("$1"$'\t'"$2"$'\t'"$3")
}

# As need, but the rest goes on without it.
want() {
  may+=("$1"$'\t'"$2"$'\t'"$3")
}

# shellcheck disable=SC2329 # called by the commands of need and want
includes() {
  printf '#include <%s>\n' "$1" | cc -E -xc - -o /dev/null
}

# Which of the given ones are not here, one a line.
lacking() {
  local entry

  for entry; do
    (eval "${entry%%$'\t'*}") >/dev/null 2>&1 || printf '%s\n' "$entry"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo ${CI:+-n} "$@"
  fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
    -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@"
}

install_packages() {
  local name candidate found=()

  apt update
  # A name that this release does not know must not keep the others away.
  for name; do
    candidate=$(LC_ALL=C apt-cache policy "$name" | sed -n 's/^  Candidate: //p')
    if [ -n "$candidate" ] && [ "$candidate" != '(none)' ]; then
      found+=("$name")
    fi
  done
  if [ "${#found[@]}" -ne 0 ]; then
    apt install -y --no-install-recommends "${found[@]}"
  fi
}

# Brings what was asked for with need and want, and ends here if something
# needed cannot be had.
provide() {
  local entry packages=() here=yes

  mapfile -t entries < <(lacking "${must[@]}" ${may[@]+"${may[@]}"})
  for entry in ${entries[@]+"${entries[@]}"}; do
    entry=${entry#*$'\t'}
    # shellcheck disable=SC2206 # a list of packages
    packages+=(${entry%%$'\t'*})
  done

  if [ "${#packages[@]}" -ne 0 ] && command -v apt-get >/dev/null; then
    if [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && as_root true; }; then
      say "Missing packages: ${packages[*]}"
      if attempt apt 'Installing them' install_packages "${packages[@]}"; then
        echo ok
      else
        echo failed
        tail -n 20 "$logs/apt.log" | sed 's/^/       | /'
      fi
    else
      say "As root, please: apt-get install ${packages[*]}"
    fi
  fi

  while IFS= read -r entry; do
    say "Not to be had here, and left out: ${entry##*$'\t'}"
  done < <(lacking ${may[@]+"${may[@]}"})
  while IFS= read -r entry; do
    say "Needed, and not here: ${entry##*$'\t'}"
    here=no
  done < <(lacking "${must[@]}")
  if [ "$here" = no ]; then
    say 'Please install what is named above and call this again.'
    exit 1
  fi
}

# What every build needs.
need 'command -v cc' gcc 'a C11 compiler (gcc or clang)'
need 'includes stdlib.h' libc6-dev "the C library's headers"
need 'command -v pkg-config' pkg-config 'pkg-config (or pkgconf)'
need 'command -v ninja' ninja-build 'Ninja'
need 'meson --version | grep -v "^0\."' meson 'Meson 1.0 or later'
need 'includes wslay/wslay.h' libwslay-dev 'wslay 1.1.1 or later (tatsuhiro-t.github.io/wslay)'
need 'includes nettle/version.h && pkg-config --atleast-version=3.4 nettle' \
  nettle-dev 'nettle 3.4 or later'

# What single examples stand on; each is an option of the build too.
libraries='gnutls jansson libevent libmicrohttpd libuv'

# library need|want NAME
library() {
  case $2 in
  gnutls)
    "$1" 'pkg-config --atleast-version=3.6.3 gnutls' libgnutls28-dev \
      'GnuTLS 3.6.3 or later (TLS in the chat)'
    ;;
  jansson)
    "$1" 'pkg-config --exists jansson' libjansson-dev \
      'jansson (examples/jansson)'
    ;;
  libevent)
    "$1" 'pkg-config --exists libevent_core' libevent-dev \
      'libevent (examples/libevent)'
    ;;
  libmicrohttpd)
    "$1" 'pkg-config --exists libmicrohttpd' libmicrohttpd-dev \
      'libmicrohttpd (examples/libmicrohttpd, examples/exchange)'
    ;;
  libuv)
    "$1" 'pkg-config --exists libuv' libuv1-dev 'libuv (examples/libuv)'
    ;;
  esac
}

# shellcheck disable=SC2329 # called by with_libraries, for library
here() {
  eval "$1" >/dev/null 2>&1
}

# The options that build what the libraries that are here allow. Said aloud, so
# that a build from before one was installed learns of it.
with_libraries() {
  local name

  for name in $libraries; do
    if library here "$name"; then
      echo "-D$name=enabled"
    else
      echo "-D$name=disabled"
    fi
  done
}

# build DIRECTORY TITLE OPTION...: configures and compiles, below build/.
build() {
  local name=$1 title=$2
  shift 2

  step "$name" "$title" configure_and_compile "$top/build/$name" "$@"
}

# shellcheck disable=SC2329 # called by step
configure_and_compile() {
  local dir=$1
  shift

  # Called where `set -e` does not act.
  if [ -f "$dir/build.ninja" ]; then
    meson configure "$dir" "$@" || return
  else
    rm -rf "$dir"
    meson setup "$dir" "$top" "$@" || return
  fi
  ninja -C "$dir"
}

# Where the executable of that name was built: nothing if there is none.
executable() {
  meson introspect --targets "$1" | python3 -c '
import json, sys

for target in json.load(sys.stdin):
    if target["type"] == "executable" and target["name"] == sys.argv[1]:
        print(target["filename"][0])
' "$2"
}

# What npm is to fetch for the sources in DIRECTORY, unless it is there already.
npm_packages() {
  local dir=$1

  if [ ! -f "$dir/package-lock.json" ] ||
    [ "$dir/node_modules/.package-lock.json" -nt "$dir/package-lock.json" ]; then
    return
  fi
  step npm "Fetching packages for ${dir#"$top/"}" \
    npm ci --prefix "$dir" --no-audit --no-fund --ignore-scripts
}
