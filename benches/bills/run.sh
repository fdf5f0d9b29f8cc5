#!/usr/bin/env bash
# Reading and importing large bills of every format, next to `wc -l` on the same file. See README.md beside this file.
#
# usage: benches/bills/run.sh [FORMAT…]      settings: SIZE_MIB=128 LARGE_MIB=1024 ROUNDS=3 BIN=…
set -euo pipefail
cd "$(dirname "$0")/../.."

SIZE_MIB=${SIZE_MIB:-128}
# The WeChat bill by which memory is judged, and what it may take; 0 leaves it out.
LARGE_MIB=${LARGE_MIB:-1024}
MEMORY_LIMIT_MIB=${MEMORY_LIMIT_MIB:-300}
ROUNDS=${ROUNDS:-3}
FORMATS=${*:-wechat-trade wechat-fundflow alipay-trade alipay-ledger unionpay-zm generic}

here=benches/bills
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in python3 /usr/bin/time; do
    command -v "$tool" >/dev/null || { echo "missing: $tool" >&2; exit 2; }
done
if [ -z "${BIN:-}" ]; then
    cargo build --release --locked --quiet
    BIN=${CARGO_TARGET_DIR:-target}/release/etcp-recon
fi
BIN=$(realpath "$BIN")

# A merchant with nothing but a database.
"$BIN" --quiet init "$work/merchant" >/dev/null
sed -i -e 's/^merchant_no = .*/merchant_no = "900001"/' -e 's/^merchant_key = .*/merchant_key = "not-a-key"/' \
    "$work/merchant/etcp-recon.toml"

# measure FORMAT MIB ROUNDS RESULT: writes a bill of that size and measures it.
measure() {
    local rows
    rows=$(python3 "$here/generate.py" "$1" "$2" "$work/bill")
    # Once through, so that no measurement has to wait for the disk.
    cat "$work/bill" >/dev/null
    python3 "$here/measured.py" "$BIN" "$work/merchant" "$1" "$rows" "$work/bill" "$3" "$work/$4.json"
    rm "$work/bill"
}

for format in $FORMATS; do
    measure "$format" "$SIZE_MIB" "$ROUNDS" "$format"
done
if [ "$LARGE_MIB" -gt 0 ]; then
    measure wechat-trade "$LARGE_MIB" 1 large
fi

python3 - "$work" "$LARGE_MIB" "$MEMORY_LIMIT_MIB" $FORMATS <<'PYTHON'
import json, os, sys
work, large_mib, limit, formats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
load = lambda name: json.load(open(f"{work}/{name}.json"))
print(f"{'':16} {'wc -l':>12} {'read':>12} {'':>12} {'':>8} {'import':>12} {'':>12} {'':>8}")
print(f"{'':16} {'MB/s':>12} {'MB/s':>12} {'rows/s':>12} {'MiB':>8} {'MB/s':>12} {'rows/s':>12} {'MiB':>8}")
def line(name, told):
    read, put = told["read"], told["import"]
    print(f"{name:16} {told['wc']['mb_per_s']:12} {read['mb_per_s']:12} {read['rows_per_s']:12,} {read['peak_mib']:8}"
          f" {put['mb_per_s']:12} {put['rows_per_s']:12,} {put['peak_mib']:8}")
for name in formats:
    line(name, load(name))
if large_mib:
    told = load("large")
    line(f"wechat {large_mib} MiB", told)
    if max(told["read"]["peak_mib"], told["import"]["peak_mib"]) >= limit:
        sys.exit(f"more than {limit} MiB of memory for {large_mib} MiB of bill")
PYTHON
