#!/usr/bin/env bash
# Runs each fuzz target a fixed number of times. See README.md beside this file.
#
# usage: fuzz/run.sh [RUNS]      settings: TARGETS="detect generic" SEED=1 COMPARES=1 BIN=…
set -euo pipefail
cd "$(dirname "$0")"

RUNS=${1:-10000000}
TARGETS=${TARGETS:-detect package alipay_trade alipay_ledger wechat_trade wechat_fundflow unionpay_zm generic}
SEED=${SEED:-1}

if [ -z "${BIN:-}" ]; then
    command -v cargo-fuzz >/dev/null || cargo install --locked --quiet cargo-fuzz
    # The instrumentation's options are not stable ones; nothing else of a nightly compiler is used. Memory is safe
    # without a sanitizer: the crate forbids `unsafe`. Panics, overflows and failed assertions are caught.
    export RUSTC_BOOTSTRAP=1
    options=(--sanitizer none --debug-assertions)
    # Watching every comparison takes more than half of the time. The dictionaries know the words instead.
    [ -n "${COMPARES:-}" ] || options+=(--no-trace-compares)
    cargo fuzz build "${options[@]}"
    BIN=target/$(rustc -vV | sed -n 's/^host: //p')/release
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p logs

# stat NAME LOG: a figure of the fuzzer's own account at its end.
stat() { sed -n "s/^stat::$1: *//p" "$2"; }

printf '%-16s %12s %8s %9s %9s\n' target executions seconds 'exec/s' 'peak MiB'
failed=
for target in $TARGETS; do
    log=logs/$target.log
    mkdir -p "corpus/$target" "artifacts/$target"
    python3 seeds.py "$target" "$work/$target" "$work/$target.dict"
    started=$(date +%s.%N)
    if "$BIN/$target" "corpus/$target" "$work/$target" -runs="$RUNS" -seed="$SEED" \
        -max_len=4096 -rss_limit_mb=512 -timeout=10 -dict="$work/$target.dict" -print_final_stats=1 \
        -artifact_prefix="artifacts/$target/" >"$log" 2>&1; then outcome=; else outcome='FAILED'; failed+=" $target"; fi
    seconds=$(awk -v from="$started" -v to="$(date +%s.%N)" 'BEGIN { printf "%.1f", to - from }')
    executions=$(stat number_of_executed_units "$log")
    rate=$(awk -v n="${executions:-0}" -v s="$seconds" 'BEGIN { printf "%d", n / (s > 0 ? s : 1) }')
    printf '%-16s %12s %8s %9s %9s %s\n' "$target" "${executions:-?}" "$seconds" "$rate" "$(stat peak_rss_mb "$log")" "$outcome"
    [ -z "$outcome" ] || grep -A 2 -m 1 -e "panicked at" -e "ERROR: libFuzzer" "$log" >&2
done
[ -z "$failed" ] || { echo "failed:$failed (see fuzz/logs, fuzz/artifacts)" >&2; exit 1; }
