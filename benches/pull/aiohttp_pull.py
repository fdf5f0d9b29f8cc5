"""The same pull with aiohttp: sign in, the unpaid fees of each plate, the history, all of it parsed and stored.

usage: aiohttp_pull.py BASE_URL ROSTER.csv DATABASE CONCURRENCY   (merchant number and key: the sandbox's)

It does what etcp-recon does with each answer: JSON with exact numbers and no member twice, the clock of each answer,
amounts to the fen, times, plates in one normal form, bad records kept apart; and it stores what etcp-recon stores:
each order's snapshots and the newest of them, the coverage of each plate, the tokens, 256 users in a transaction,
written by a thread of its own. Not done here: the rate limit and the circuit breaker. Prints one JSON line.
"""

import asyncio
import csv
import hashlib
import json
import re
import sqlite3
import sys
import time
import unicodedata
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime

import aiohttp

MERCHANT_NO = "9827c6b5c6d94485b912b6e90c92a7ae"
KEY = "sandbox-merchant-key"
SHANGHAI = timezone(timedelta(hours=8))
BATCH = 256
RETRIES = 3
MAX_BODY = 8 * 1024 * 1024
LARGEST = Decimal("1000000000.00")
SPACES_AT_COLON = re.compile(r"\s*:\s*")

SCHEMA = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE session (mobile TEXT PRIMARY KEY, token TEXT NOT NULL, obtained_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE order_snapshot (
    id INTEGER PRIMARY KEY, order_key TEXT NOT NULL, order_id TEXT NOT NULL, plate TEXT, parking_id TEXT NOT NULL,
    parking_name TEXT NOT NULL, entrance_at INTEGER NOT NULL, exit_at INTEGER, state TEXT NOT NULL,
    fee_fen INTEGER NOT NULL CHECK (fee_fen >= 0), rest_fen INTEGER NOT NULL CHECK (rest_fen BETWEEN 0 AND fee_fen),
    seen_at INTEGER NOT NULL);
CREATE INDEX order_snapshot_by_order ON order_snapshot (order_key, seen_at);
CREATE TABLE order_head (
    order_key TEXT PRIMARY KEY, snapshot_id INTEGER NOT NULL UNIQUE REFERENCES order_snapshot (id),
    open INTEGER NOT NULL, relevant_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX order_head_by_relevance ON order_head (relevant_at);
CREATE TABLE coverage (
    plate TEXT PRIMARY KEY, mobile TEXT NOT NULL, pulled_at INTEGER NOT NULL, failure TEXT, doubtful INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE rejected_record (id INTEGER PRIMARY KEY, order_id TEXT, plate TEXT, reason TEXT NOT NULL);
"""
SNAPSHOT = "order_id, plate, parking_id, parking_name, entrance_at, exit_at, state, fee_fen, rest_fen"


class BadAnswer(Exception):
    pass


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadAnswer("a member stands twice")
    return members


def fen(value):
    """An amount in yuan, number or text, as whole fen."""
    try:
        amount = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise BadAnswer(f"{value!r} is no amount") from None
    hundredfold = amount * 100
    if not amount.is_finite() or amount < 0 or amount > LARGEST or hundredfold != hundredfold.to_integral_value():
        raise BadAnswer(f"{value!r} is no amount in yuan and fen")
    return int(hundredfold)


def moment(text):
    wall = datetime.fromisoformat(SPACES_AT_COLON.sub(":", text.strip()))
    return int(wall.replace(tzinfo=SHANGHAI).timestamp())


def plate(text):
    folded = unicodedata.normalize("NFKC", text).upper()
    normal = "".join(c for c in folded if not c.isspace() and c != "·")
    if len(normal) not in (7, 8):
        raise BadAnswer("no plate")
    return normal


def snapshot(record, own_plate, is_open):
    fee, rest = fen(record["parkingFee"]), fen(record["remainingFee" if is_open else "actual"])
    if rest > fee:
        raise BadAnswer("more left than the fee")
    left = None if is_open or not record.get("exitTime") else moment(record["exitTime"])
    return (
        str(record["orderId"]), own_plate or plate(record["carNumber"]), str(record.get("parkingId", "")),
        str(record.get("parkingName", "")), moment(record["entranceTime"]), left, "open" if is_open else "closed", fee, rest,
    )  # fmt: skip


def listing(records, own_plate, is_open):
    good, bad = [], []
    for record in records or []:
        try:
            good.append(snapshot(record, own_plate, is_open))
        except (BadAnswer, KeyError, ValueError, AttributeError) as error:
            bad.append((str(record.get("orderId")), own_plate, str(error)))
    return good, bad


class Platform:
    def __init__(self, session, base, concurrency):
        self.session, self.path, self.calls = session, f"{base}/merchant/open/1.0.0/openapi/", 0
        self.slots, self.skew_s = asyncio.Semaphore(concurrency), None

    def parameters(self, data):
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        stamp = datetime.now(SHANGHAI).strftime("%Y%m%d%H%M%S")
        sign = hashlib.md5((text + KEY + stamp).encode()).hexdigest().upper()
        return {"merchant_no": MERCHANT_NO, "time_stamp": stamp, "data": text, "sign": sign}

    async def ask(self, method, name, data):
        place = "params" if method == "GET" else "data"
        for attempt in range(RETRIES + 1):
            try:
                async with self.slots:
                    self.calls += 1
                    options = {place: self.parameters(data), "allow_redirects": False}
                    async with self.session.request(method, self.path + name, **options) as answer:
                        if (answer.content_length or 0) > MAX_BODY:
                            raise BadAnswer("too long")
                        body = await answer.read()
                        if "Date" in answer.headers:
                            self.skew_s = parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
                if answer.status != 200:
                    raise BadAnswer(f"HTTP status {answer.status}")
                parsed = json.loads(body, parse_float=Decimal, object_pairs_hook=unique)
                if int(parsed["code"]) != 0:
                    raise BadAnswer(f"code {parsed['code']}: {parsed.get('message')}")
                return parsed.get("data")
            except (aiohttp.ClientError, asyncio.TimeoutError):
                if attempt == RETRIES:
                    raise
                await asyncio.sleep(0.2 * 2**attempt)


async def pull_user(platform, mobile, plates):
    seen_at = int(time.time())
    signed_in = await platform.ask("POST", "usersignin", {"mobilePhone": mobile, "appId": "ETCP", "carNumber": plates[0]})
    token = signed_in["token"]
    orders, rejected, coverage = [], [], []
    for own in plates:
        data = {"token": token, "plateNumber": own, "appId": "ETCP"}
        good, bad = listing(await platform.ask("GET", "orderunpay", data), own, True)
        orders += good
        rejected += bad
        coverage.append((own, mobile, seen_at, None, bool(bad)))
    good, bad = listing(await platform.ask("GET", "orderhistory", {"token": token}), None, False)
    return mobile, token, seen_at, orders + good, rejected + bad, coverage


def record_snapshot(database, seen, seen_at):
    key = seen[0].lower()
    head = database.execute(
        f"SELECT {SNAPSHOT}, order_head.last_seen_at FROM order_head "
        "JOIN order_snapshot ON order_snapshot.id = order_head.snapshot_id WHERE order_head.order_key = ?",
        (key,),
    ).fetchone()
    if head is not None:
        if seen_at < head[-1] or (seen_at == head[-1] and head[6] == "closed" and seen[6] == "open"):
            return
        if head[:-1] == seen:
            database.execute("UPDATE order_head SET last_seen_at = ? WHERE order_key = ?", (seen_at, key))
            return
    inserted = database.execute(
        f"INSERT INTO order_snapshot (order_key, {SNAPSHOT}, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (key, *seen, seen_at),
    )
    database.execute(
        "INSERT INTO order_head VALUES (?, ?, ?, ?, ?) ON CONFLICT (order_key) DO UPDATE SET "
        "snapshot_id = excluded.snapshot_id, open = excluded.open, relevant_at = excluded.relevant_at, "
        "last_seen_at = excluded.last_seen_at",
        (key, inserted.lastrowid, seen[6] == "open", seen[5] or seen[4], seen_at),
    )


def store(database, batch):
    with database:
        for mobile, token, seen_at, orders, rejected, coverage in batch:
            database.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?)", (mobile, token, seen_at))
            for seen in orders:
                record_snapshot(database, seen, seen_at)
            database.executemany("INSERT OR REPLACE INTO coverage VALUES (?, ?, ?, ?, ?)", coverage)
            database.executemany("INSERT INTO rejected_record (order_id, plate, reason) VALUES (?, ?, ?)", rejected)


async def main(base, roster, path, concurrency):
    users = {}
    with open(roster, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            users.setdefault(row["mobile"], []).append(row["plate"])
    database = sqlite3.connect(path, check_same_thread=False)
    database.executescript(SCHEMA)
    waiting, batch, writing = iter(users.items()), [], asyncio.Lock()
    connector, timeout = aiohttp.TCPConnector(limit=concurrency), aiohttp.ClientTimeout(total=10)
    begun = time.monotonic()
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        platform = Platform(session, base, concurrency)

        async def write():
            async with writing:
                full = batch[:]
                batch.clear()
                await asyncio.to_thread(store, database, full)

        async def worker():
            for mobile, plates in waiting:
                batch.append(await pull_user(platform, mobile, plates))
                if len(batch) >= BATCH and not writing.locked():
                    await write()

        await asyncio.gather(*(worker() for _ in range(concurrency)))
        await write()
    took = time.monotonic() - begun
    stored = database.execute("SELECT count(*) FROM order_head").fetchone()[0]
    covered = database.execute("SELECT count(*) FROM coverage").fetchone()[0]
    figures = {"calls": platform.calls, "orders": stored, "plates": covered, "seconds": round(took, 2)}
    print(json.dumps(figures | {"per_second": round(platform.calls / took)}))


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
