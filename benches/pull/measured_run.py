"""One dry run of etcp-recon against a sandbox: its time, its memory, and what the sandbox counted of it.

usage: measured_run.py BINARY FOLDER BASE_URL CONCURRENCY RATE RESULT.json   (FOLDER: what `sandbox --dir` wrote)

Fails when a user was signed in twice, a call is missing or too many, or a limit was exceeded.
"""

import csv
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

binary, folder, base, concurrency, rate, result_file = sys.argv[1:]
concurrency, rate = int(concurrency), int(rate)


def memory_peak_mib(process):
    with open(f"/proc/{process}/status") as status:
        return round(int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024, 1)


with open(f"{folder}/plates.csv", encoding="utf-8-sig", newline="") as file:
    roster = list(csv.DictReader(file))
users, plates = len({row["mobile"] for row in roster}), len(roster)

urllib.request.urlopen(urllib.request.Request(f"{base}/sandbox/stats/reset", method="POST")).close()
begun = time.monotonic()
run = subprocess.Popen(
    [binary, "--verbose", "run", "--dry-run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
)
log, took_ms, pull_peak = [], None, None
for line in run.stderr:
    log.append(line)
    if "pulled and stored" in line:
        # At once: what follows, matching and the report, holds the orders of a week.
        pull_peak = memory_peak_mib(run.pid)
        took_ms = int(re.search(r"took_ms=(\d+)", line).group(1))
_, status, usage = os.wait4(run.pid, 0)
seconds = time.monotonic() - begun
if os.waitstatus_to_exitcode(status) != 0:
    sys.exit("the run failed:\n" + "".join(log))

with urllib.request.urlopen(f"{base}/sandbox/stats") as answer:
    counted = json.load(answer)
calls = counted.pop("calls")
assert calls == {"orderhistory": users, "orderunpay": plates, "usersignin": users}, calls
assert counted["sign_ins_per_user_max"] == 1, counted
assert counted["max_concurrent"] <= concurrency, counted
assert rate == 0 or counted["max_per_second"] <= rate, counted

result = {
    "users": users,
    "plates": plates,
    "rate_limit": rate,
    "calls": sum(calls.values()),
    "pull_s": round(took_ms / 1000, 2),
    "per_second": round(sum(calls.values()) * 1000 / took_ms),
    "pull_peak_mib": pull_peak,
    "run_s": round(seconds, 2),
    "run_peak_mib": round(usage.ru_maxrss / 1024, 1),
    "run_cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
    "sandbox_counted": counted,
}
print("etcp-recon", json.dumps(result))
with open(result_file, "w") as file:
    json.dump(result, file)
