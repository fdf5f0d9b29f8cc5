"""One bill, measured: `wc -l` on it, the reading alone, and the import into a new database, in turns.

usage: measured.py BINARY FOLDER FORMAT ROWS FILE ROUNDS RESULT.json      (FOLDER: where etcp-recon.toml is)

Fails when a row is missing.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

binary, folder, name, rows, file, rounds, result_file = sys.argv[1:]
rows, rounds = int(rows), int(rounds)
size = os.path.getsize(file)
ours = [binary, "--lang", "en", "--config", f"{folder}/etcp-recon.toml"]


def measured(command):
    """Seconds, the peak of memory in MiB, and what it printed.

    By way of `time`: a child of Python itself begins with the peak of Python."""
    begun = time.monotonic()
    done = subprocess.run(["/usr/bin/time", "-o", f"{folder}/peak", "-f", "%M", *command], stdout=subprocess.PIPE)
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout.decode()}")
    return seconds, int(pathlib.Path(f"{folder}/peak").read_text()) / 1024, done.stdout.decode()


def new_database():
    for path in pathlib.Path(folder).glob("recon.db*"):
        path.unlink()


def all_are_there(counts):
    if sum(counts) != rows:
        sys.exit(f"{file}: {rows} rows were written and {sum(counts)} read")


def told_by_check(printed):
    told = json.loads(printed)
    return [told[kind] for kind in ("payments", "refunds", "ignored", "set_aside")]


def told_by_import(printed):
    told = re.search(r"(\d+) payments, (\d+) refunds, (\d+) ignored, (\d+) set aside", printed)
    return [int(count) for count in told.groups()]


took = {"wc": [], "read": [], "import": []}
peak = {"read": 0, "import": 0}
for _ in range(rounds):
    took["wc"].append(measured(["wc", "-l", file])[0])
    seconds, mib, printed = measured([*ours, "check", "--bill", file, "--rows", "0", "--json"])
    all_are_there(told_by_check(printed))
    took["read"].append(seconds)
    peak["read"] = max(peak["read"], mib)
    new_database()
    seconds, mib, printed = measured([*ours, "import", file])
    all_are_there(told_by_import(printed))
    took["import"].append(seconds)
    peak["import"] = max(peak["import"], mib)
database = os.path.getsize(f"{folder}/recon.db")
new_database()

result = {"format": name, "mb": round(size / 1e6, 1), "rows": rows, "database_mb": round(database / 1e6, 1)}
for what, seconds in took.items():
    middle = statistics.median(seconds)
    result[what] = {
        "s": round(middle, 3),
        "mb_per_s": round(size / 1e6 / middle, 1),
        "rows_per_s": round(rows / middle),
        "from": round(size / 1e6 / max(seconds), 1),
        "to": round(size / 1e6 / min(seconds), 1),
    }
    if what in peak:
        result[what]["peak_mib"] = round(peak[what], 1)
print(json.dumps(result), flush=True)
with open(result_file, "w") as out:
    json.dump(result, out)
