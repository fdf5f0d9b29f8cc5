"""Prints the address of a signed orderhistory of a user who was just signed in, for wrk.

usage: signed_get.py BASE_URL MOBILE PLATE   (merchant number and key: the sandbox's; the address lasts ten minutes)
"""

import hashlib
import json
import sys
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

MERCHANT_NO = "9827c6b5c6d94485b912b6e90c92a7ae"
KEY = "sandbox-merchant-key"


def parameters(data):
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    stamp = datetime.now(timezone(timedelta(hours=8))).strftime("%Y%m%d%H%M%S")
    sign = hashlib.md5((text + KEY + stamp).encode()).hexdigest().upper()
    return urllib.parse.urlencode({"merchant_no": MERCHANT_NO, "time_stamp": stamp, "data": text, "sign": sign})


base, mobile, plate = sys.argv[1:4]
path = f"{base}/merchant/open/1.0.0/openapi/"
form = parameters({"mobilePhone": mobile, "appId": "ETCP", "carNumber": plate}).encode()
headers = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
with urllib.request.urlopen(urllib.request.Request(path + "usersignin", form, headers)) as answer:
    token = json.load(answer)["data"]["token"]
print(path + "orderhistory?" + parameters({"token": token}))
