"""The same pull with aiohttp: sign in, the unpaid fees of each plate, the history, all of it parsed and stored.

usage: aiohttp_pull.py BASE_URL ROSTER.csv DATABASE CONCURRENCY   (merchant number and key: the sandbox's)

It does less than etcp-recon: no retries, no limits, amounts kept as the text that came. Prints one JSON line.
"""

import asyncio
import csv
import hashlib
import json
import sqlite3
import sys
import time
from datetime import datetime, timedelta, timezone

import aiohttp

MERCHANT_NO = "9827c6b5c6d94485b912b6e90c92a7ae"
KEY = "sandbox-merchant-key"
SHANGHAI = timezone(timedelta(hours=8))
BATCH = 256


def parameters(data):
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    stamp = datetime.now(SHANGHAI).strftime("%Y%m%d%H%M%S")
    sign = hashlib.md5((text + KEY + stamp).encode()).hexdigest().upper()
    return {"merchant_no": MERCHANT_NO, "time_stamp": stamp, "data": text, "sign": sign}


class Platform:
    def __init__(self, session, base):
        self.session, self.path, self.calls = session, f"{base}/merchant/open/1.0.0/openapi/", 0

    async def answer(self, response):
        self.calls += 1
        async with response as answer:
            body = json.loads(await answer.read())
        if body["code"] != 0:
            raise RuntimeError(f"code {body['code']}")
        return body.get("data")

    async def get(self, name, data):
        return await self.answer(self.session.get(self.path + name, params=parameters(data)))

    async def post(self, name, data):
        return await self.answer(self.session.post(self.path + name, data=parameters(data)))


async def pull_user(platform, mobile, plates):
    signed_in = await platform.post("usersignin", {"mobilePhone": mobile, "appId": "ETCP", "carNumber": plates[0]})
    token = signed_in["token"]
    orders = []
    for plate in plates:
        for order in await platform.get("orderunpay", {"token": token, "plateNumber": plate, "appId": "ETCP"}) or []:
            orders.append((order["orderId"], plate, "open", str(order["parkingFee"]), str(order["remainingFee"])))
    for order in await platform.get("orderhistory", {"token": token}) or []:
        orders.append((order["orderId"], order["carNumber"], "closed", str(order["parkingFee"]), str(order["actual"])))
    return mobile, token, plates, orders


def store(database, batch):
    with database:
        for mobile, token, plates, orders in batch:
            database.execute("INSERT OR REPLACE INTO session VALUES (?, ?)", (mobile, token))
            database.executemany("INSERT OR REPLACE INTO coverage VALUES (?, ?)", [(p, mobile) for p in plates])
            database.executemany("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)", orders)
    batch.clear()


async def main(base, roster, path, concurrency):
    users = {}
    with open(roster, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            users.setdefault(row["mobile"], []).append(row["plate"])
    database = sqlite3.connect(path)
    database.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE session (mobile TEXT PRIMARY KEY, token TEXT);"
        "CREATE TABLE coverage (plate TEXT PRIMARY KEY, mobile TEXT);"
        "CREATE TABLE orders (id TEXT PRIMARY KEY, plate TEXT, state TEXT, fee TEXT, rest TEXT);"
    )
    waiting, batch = iter(users.items()), []
    connector = aiohttp.TCPConnector(limit=concurrency)
    begun = time.monotonic()
    async with aiohttp.ClientSession(connector=connector) as session:
        platform = Platform(session, base)

        async def worker():
            for mobile, plates in waiting:
                batch.append(await pull_user(platform, mobile, plates))
                if len(batch) >= BATCH:
                    store(database, batch)

        await asyncio.gather(*(worker() for _ in range(concurrency)))
    store(database, batch)
    took = time.monotonic() - begun
    print(json.dumps({"calls": platform.calls, "seconds": round(took, 2), "per_second": round(platform.calls / took)}))


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
