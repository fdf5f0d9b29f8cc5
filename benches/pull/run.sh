#!/usr/bin/env bash
# The pull at speed, next to wrk and to an aiohttp client on the same sandbox. See README.md beside this file.
#
# usage: benches/pull/run.sh        settings: USERS=10000 ROUNDS=5 CONCURRENCY=32 WRK_SECONDS=5 PORT=18099 BIN=…
#        and of the run with the rate limit on: LIMITED_USERS=300 RATE=200, or LIMITED_USERS=10000 RATE=2000
# Ends with 1 when a limit was exceeded or a median misses its target.
set -euo pipefail
cd "$(dirname "$0")/../.."

USERS=${USERS:-10000}
FEW_USERS=${FEW_USERS:-1000}
CONCURRENCY=${CONCURRENCY:-32}
WRK_SECONDS=${WRK_SECONDS:-5}
ROUNDS=${ROUNDS:-5}
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

# start_sandbox NAME USERS: serves a world of that many users with two plates and two stays each, and writes its
# papers into the folder of that name: two runs may have as many users.
start_sandbox() {
    local dir=$work/$1 users=$2
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

# pull NAME RATE: one dry run on the sandbox of that name, measured, checked by what the sandbox counted.
pull() {
    local name=$1 rate=$2 dir=$work/$1
    sed -i -e '/^max_requests_per_second/d' -e '/^max_concurrency/d' \
        -e "s/^\[platform\]/[platform]\nmax_concurrency = $CONCURRENCY\nmax_requests_per_second = $rate/" "$dir/etcp-recon.toml"
    (cd "$dir" && "$BIN" --quiet plates import plates.csv >/dev/null)
    python3 "$here/measured_run.py" "$BIN" "$dir" "$base" "$CONCURRENCY" "$rate" "$work/pull-$name.json"
}

start_sandbox limited "$LIMITED_USERS"
pull limited "$RATE"
stop_sandbox

start_sandbox few "$FEW_USERS"
pull few 0
stop_sandbox

start_sandbox many "$USERS"
IFS=, read -r mobile plate _ < <(sed -n 2p "$work/many/plates.csv")

# wrk_reaches: requests a second of wrk on a signed `orderhistory` of one user; the better of one and two threads.
wrk_reaches() {
    local url best=0 reached threads
    url=$(python3 "$here/signed_get.py" "$base" "$mobile" "$plate")
    curl --silent --fail "$url" | grep -q '"code":0' || { echo "the signed request for wrk is refused" >&2; exit 1; }
    for threads in 1 2; do
        wrk --threads "$threads" --connections "$CONCURRENCY" --duration "${WRK_SECONDS}s" "$url" >"$work/wrk.out"
        if grep -q 'Non-2xx' "$work/wrk.out"; then cat "$work/wrk.out" >&2; exit 1; fi
        reached=$(awk '/Requests\/sec/ { printf "%d", $2 }' "$work/wrk.out")
        if [ "$reached" -gt "$best" ]; then best=$reached; fi
    done
    echo "$best"
}

# In turn, so that a machine that is slow for a while is slow for all three. Each pull begins with a new database.
for round in $(seq "$ROUNDS"); do
    rm -f "$work"/many/recon.db*
    pull many 0
    mv "$work/pull-many.json" "$work/ours-$round.json"
    wrk_reaches >"$work/wrk-$round.txt"
    echo "wrk {\"per_second\": $(cat "$work/wrk-$round.txt")}"
    rm -f "$work"/aiohttp.db*
    "$PYTHON" "$here/aiohttp_pull.py" "$base" "$work/many/plates.csv" "$work/aiohttp.db" "$CONCURRENCY" >"$work/aiohttp-$round.json"
    echo "aiohttp $(cat "$work/aiohttp-$round.json")"
done
stop_sandbox

python3 - "$work" "$USERS" "$FEW_USERS" "$ROUNDS" <<'PYTHON'
import json, statistics, sys
work, users, few, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
load = lambda name: json.load(open(f"{work}/{name}"))
ours = [load(f"ours-{n}.json") for n in range(1, rounds + 1)]
wrk = [int(open(f"{work}/wrk-{n}.txt").read()) for n in range(1, rounds + 1)]
python = [load(f"aiohttp-{n}.json")["per_second"] for n in range(1, rounds + 1)]
of_wrk = [100 * pull["per_second"] / one for pull, one in zip(ours, wrk)]
of_python = [pull["per_second"] / one for pull, one in zip(ours, python)]
told = lambda values, digits: f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
print(f"of wrk:      {told(of_wrk, 0)} %   (target: at least 40 %)")
print(f"of aiohttp:  {told(of_python, 1)} x  (target: at least 5 x)")
small, large = load("pull-few.json"), ours[-1]
for part in ("pull", "run"):
    print(f"peak memory of the {part}: {small[f'{part}_peak_mib']} MiB with {few} users, {large[f'{part}_peak_mib']} MiB with {users}")
missed = [name for name, values, target in (("wrk", of_wrk, 40), ("aiohttp", of_python, 5)) if statistics.median(values) < target]
if missed:
    sys.exit(f"the median misses its target beside {' and '.join(missed)}")
PYTHON
