# shellcheck shell=bash
# Sourced by the demos after lib.sh: a temporary folder that is the home of everything, and what both show.

dir=$(mktemp -d)
server=
# What a demo started besides, by its id.
others=()
clean() {
  local id
  for id in $server "${others[@]}"; do
    { kill "$id" && wait "$id"; } 2>/dev/null || true
  done
  nkey agent stop >/dev/null 2>&1 || true
  rm -rf "$dir"
}
trap clean EXIT
export HOME=$dir NKEY_AUTH_SOCK=
PATH=$root/target/debug:$root/target/debug/examples:$tools/bin:$PATH
cd "$dir" || exit

# show COMMAND...: as it would be typed, then what it says.
show() {
  printf '\n$ %s\n' "${*//"$dir/"/}"
  "$@"
}

# until_true TEXT COMMAND...: waits up to 30 s until the command succeeds.
until_true() {
  local what=$1
  shift
  for _ in $(seq 300); do
    ! "$@" || return 0
    sleep 0.1
  done
  fail 1 "$what did not come"
}

# agent FLAG...: an agent with a vault, which a passphrase opens.
agent() {
  head -c 16 /dev/urandom | base64 >passphrase
  # shellcheck disable=SC2016 # shown, not run
  printf '\n$ eval "$(nkey agent start --passphrase-file passphrase)"\n'
  eval "$(nkey agent start --socket "$dir/run/agent.sock" --vault "$dir/vault" --passphrase-file passphrase "$@")"
}

# serve: a real nats-server with server.conf on loopback; its URL is in $url.
serve() {
  nats-server -c server.conf -a 127.0.0.1 -p -1 --ports_file_dir "$dir" >server.log 2>&1 &
  server=$!
  until_true 'nats-server' test -s "$dir/nats-server_$server.ports"
  # shellcheck disable=SC2034 # for the demos
  url=$(grep -o 'nats://127.0.0.1:[0-9]*' "$dir/nats-server_$server.ports" | head -n 1)
}

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

# refuse KEY FILE: the agent must not sign this.
refuse() {
  local status=0
  ask "$1" "$2" || status=$?
  [ "$status" = 3 ] || fail 1 "the agent signed it, or failed: $status"
}

# key KIND: the first such key of the agent.
key() { nkey list keys --json | python3 -c 'import json,sys; print(next(k["public_key"] for k in json.load(sys.stdin) if k["public_key"][0] == sys.argv[1]))' "$1"; }
