# shellcheck shell=bash
# Sourced by the other scripts: they all start at the top of the checkout.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
root=$PWD
tools=$root/.tools
# Where tests, demo and bench find the programs they run against.
export NKEY_TOOLS=$tools

# An environment of the caller must not change what is built or make Go fetch another toolchain.
export GOTOOLCHAIN=local GOFLAGS='-mod=readonly -buildvcs=false'

# fail STATUS LINE...
fail() {
  local status=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$status"
}

# heading TEXT: with the seconds since the outermost script began.
export NKEY_STARTED=${NKEY_STARTED:-$EPOCHSECONDS}
heading() {
  printf '\n== %s [%d s]\n' "$1" $((EPOCHSECONDS - NKEY_STARTED))
}

# once NAME KEY COMMAND...: runs COMMAND unless it last succeeded with the same KEY.
# This is what keeps a second run off the network.
once() {
  local stamp=$tools/stamps/$1 key=$2
  shift 2
  [ "$(cat "$stamp" 2>/dev/null || true)" != "$key" ] || return 0
  rm -f "$stamp"
  "$@"
  mkdir -p "$tools/stamps"
  printf '%s\n' "$key" >"$stamp"
}

# digest FILE...: one hash over the names and contents of files.
digest() {
  sha256sum -- "$@" | sha256sum | cut -d' ' -f1
}

# The one Python environment, in .tools/venv.
python_venv() {
  [ -x "$tools/venv/bin/pip" ] || python3 -m venv "$tools/venv"
}

# each_core COMMAND...: for the feature sets of nkey-core that a workspace build does not show: that has 'host'.
each_core() {
  local features
  for features in '' alloc token host,xkey; do
    heading "nkey-core with features '$features'"
    "$@" --package nkey-core --features "$features"
  done
}

# msrv: the oldest Rust that builds this, from Cargo.toml.
msrv() {
  sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml
}
