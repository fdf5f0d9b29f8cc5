#!/usr/bin/env bash
# The pull at speed, next to wrk and to an aiohttp client on the same sandbox. See README.md beside this file.
#
# usage: benches/pull/run.sh        settings: USERS=10000 CONCURRENCY=32 WRK_SECONDS=10 PORT=18099 BIN=…
set -euo pipefail
cd "$(dirname "$0")/../.."

USERS=${USERS:-10000}
FEW_USERS=${FEW_USERS:-1000}
CONCURRENCY=${CONCURRENCY:-32}
WRK_SECONDS=${WRK_SECONDS:-10}
PORT=${PORT:-18099}
# For the run with the rate limit on: so many users, so many requests a second.
LIMITED_USERS=${LIMITED_USERS:-300}
RATE=${RATE:-200}

here=benches/pull
base="http://127.0.0.1:$PORT"
work=$(mktemp -d)
sandbox=
stop_sandbox() {
    if [ -n "$sandbox" ]; then
        kill "$sandbox" 2>/dev/null || true
        wait "$sandbox" 2>/dev/null || true
        sandbox=
    fi
}
trap 'stop_sandbox; rm -rf "$work"' EXIT

for tool in wrk curl python3; do
    command -v "$tool" >/dev/null || { echo "missing: $tool" >&2; exit 2; }
done
if [ -z "${BIN:-}" ]; then
    cargo build --release --locked --quiet
    BIN=${CARGO_TARGET_DIR:-target}/release/etcp-recon
fi
BIN=$(realpath "$BIN")
if [ -z "${PYTHON:-}" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet aiohttp
    PYTHON=$work/venv/bin/python
fi

# start_sandbox USERS: serves a world of that many users with two plates and two stays each, and writes its papers.
start_sandbox() {
    local users=$1 dir=$work/$1
    : >"$work/sandbox.log"
    "$BIN" sandbox --listen "127.0.0.1:$PORT" --users "$users" --plates-per-user 2 --orders $((users * 2)) --dir "$dir" \
        >"$work/sandbox.log" 2>&1 &
    sandbox=$!
    # It greets when it listens and its papers are written.
    for _ in $(seq 300); do
        [ -s "$work/sandbox.log" ] && break
        sleep 0.1
    done
    # It does not start where another one listens.
    [ -f "$dir/etcp-recon.toml" ] || { cat "$work/sandbox.log" >&2; exit 1; }
    # Bills are not what is measured.
    rm -f "$dir"/inbox/*
}

# pull USERS RATE: one dry run, measured, checked by what the sandbox counted.
pull() {
    local users=$1 rate=$2 dir=$work/$1
    sed -i -e '/^max_requests_per_second/d' -e '/^max_concurrency/d' \
        -e "s/^\[platform\]/[platform]\nmax_concurrency = $CONCURRENCY\nmax_requests_per_second = $rate/" "$dir/etcp-recon.toml"
    (cd "$dir" && "$BIN" --quiet plates import plates.csv >/dev/null)
    python3 "$here/measured_run.py" "$BIN" "$dir" "$base" "$CONCURRENCY" "$rate" "$work/pull-$users.json"
}

start_sandbox "$LIMITED_USERS"
pull "$LIMITED_USERS" "$RATE"
stop_sandbox

start_sandbox "$FEW_USERS"
pull "$FEW_USERS" 0
stop_sandbox

start_sandbox "$USERS"
pull "$USERS" 0

IFS=, read -r mobile plate _ < <(sed -n 2p "$work/$USERS/plates.csv")
url=$(python3 "$here/signed_get.py" "$base" "$mobile" "$plate")
curl --silent --fail "$url" | grep -q '"code":0' || { echo "the signed request for wrk is refused" >&2; exit 1; }
best=0
for threads in 1 2; do
    wrk --threads "$threads" --connections "$CONCURRENCY" --duration "${WRK_SECONDS}s" "$url" >"$work/wrk.out"
    if grep -q 'Non-2xx' "$work/wrk.out"; then cat "$work/wrk.out" >&2; exit 1; fi
    reached=$(awk '/Requests\/sec/ { printf "%d", $2 }' "$work/wrk.out")
    echo "wrk {\"threads\": $threads, \"per_second\": $reached}"
    if [ "$reached" -gt "$best" ]; then best=$reached; fi
done

"$PYTHON" "$here/aiohttp_pull.py" "$base" "$work/$USERS/plates.csv" "$work/aiohttp.db" "$CONCURRENCY" >"$work/aiohttp.json"
echo "aiohttp $(cat "$work/aiohttp.json")"
stop_sandbox

python3 - "$work" "$USERS" "$FEW_USERS" "$best" <<'PYTHON'
import json, sys
work, users, few, wrk = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
ours, small = (json.load(open(f"{work}/pull-{size}.json")) for size in (users, few))
python = json.load(open(f"{work}/aiohttp.json"))
print(f"of wrk:      {100 * ours['per_second'] / wrk:.0f} %   (target: at least 40 %)")
print(f"of aiohttp:  {ours['per_second'] / python['per_second']:.1f} x  (target: at least 5 x)")
for part in ("pull", "run"):
    print(f"peak memory of the {part}: {small[f'{part}_peak_mib']} MiB with {few} users, {ours[f'{part}_peak_mib']} MiB with {users}")
PYTHON
