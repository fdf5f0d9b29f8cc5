"""What the fuzzer begins with: the samples of tests/fixtures/bills, whole and row by row, and its dictionaries.

usage: fuzz/seeds.py TARGET FOLDER DICTIONARY      (run.sh calls it)
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE.parent / "tests/fixtures/bills"
FOLDERS = {
    "alipay_trade": "alipay-trade",
    "alipay_ledger": "alipay-signcustomer",
    "wechat_trade": "wechat-tradebill",
    "wechat_fundflow": "wechat-fundflow",
}
# Marks of archives and of other files, that are no text and so stand in no list of words.
MAGIC = {
    "detect": [b"\xef\xbb\xbf", b"\xff\xfe", b"\xd0\xcf\x11\xe0", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b"],
    "package": [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08", b"\x1f\x8b\x08",
                b"\x1e", b"\x1f", b"\x00\x05\x16\x07", b"\x01\x00", b"\x75\x70"],
}
GENERIC = [
    b"payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel\n"
    b"4200001,B6269DE8-03A0-4CDE-9E8B-6D5E7A1F2C3D,\xe6\xb8\x9dB757D0,10.00,,SUCCESS,2026-03-17 08:00:00,wxpay\n"
    b"4200001,,,10.00,5.00,REFUND,2026-03-17 09:00:00,wxpay\n",
]
GENERIC_ROW = ["4200001", "B6269DE8-03A0", "渝B757D0", "10.00", "0.00", "success", "2026-03-17 08:00:00", "A01 plate:渝B757D0",
               "PK1", "T1", "R1"]
RECORDS = [
    "101|||000001|0317091234|6222***********1234|000000001000|7523|07|202603170912340000001|01|PK260317A01|01|||D000000000006|"
    "C000000000994|0001||01|01|000301|01|||0||898000000000001|0||||C000000000994|00000001|plate:B757D0",
    "101|||000002|0317101234||000000001000|||202603171012340000002||PK2||||C000000000006|D000000000994|||04||||||0|"
    "202603170912340000001|||||||||||||PK260317A01",
]


def samples(folder):
    return [path.read_bytes() for path in sorted((SAMPLES / folder).iterdir())]


def small(bill, rows=1):
    """The sample with its first rows only: the fuzzer works best on short inputs, and the totals are corrected."""
    lines = bill.splitlines(keepends=True)
    data = [line for line in lines if is_row(line)]
    kept = set(data[:rows])
    return b"".join(line for line in lines if not is_row(line) or line in kept)


def is_row(line):
    """A row of a channel's bill: ids or a backtick in front, and more fields than totals have."""
    return line[:1] in b"`0123456789" and line.count(b",") > 8


def of_channel(target):
    for bill in samples(FOLDERS[target]):
        if bill[:2] in (b"PK", b"\x1f\x8b"):
            continue
        rows = [line for line in bill.splitlines(keepends=True) if is_row(line)]
        yield from rows
        yield b"".join(rows[:3])
        yield bill
        yield small(bill)


def of_all(packed):
    for folder in sorted(set(FOLDERS.values())):
        for bill in samples(folder):
            if packed == (bill[:2] in (b"PK", b"\x1f\x8b")):
                yield bill
            elif packed:
                yield b"\x00" + small(bill)
                yield b"\x01" + small(bill) + b"\x1e\xbb\xe3\xd7\xdc.csv\x1f" + bill[:60]
                yield b"\x08" + small(bill)
            else:
                yield small(bill)[:1200]


def of_generic():
    """One row for each first byte and some of the second ones: see the bits in fuzz_targets/generic.rs."""
    for how in range(256):
        for written in (0, 1 << (how & 7), 0x18, 0x85, 0xff ^ (how & 0x3a)):
            yield bytes([how | 4, written]) + generic_row(how, written)
    for bill in GENERIC:
        for written in (0, 0x18, 0x04):
            yield bytes([0, written]) + bill
            yield bytes([0, written]) + b"\xef\xbb\xbf" + bill.replace(b"\n", b"\r\n")
            yield bytes([0, written]) + bill.decode().encode("gb18030")


def generic_row(how, written):
    row = list(GENERIC_ROW)
    if how & 128:
        row += ["080000" if written & 128 else "08:00:00", "9.00", "0.06", "4200000"]
    if written & 1:
        row[3:5] = ["1000", "0"]
        row[12:14] = ["900", "6"][: len(row[12:14])]
    if written & 2:
        row[3] = "1,000" if written & 1 else "1,000.00"
    if written & 4:
        row[3] = "-" + row[3]
    if how & 32:
        row[5] = "退款"
    if written & 128:
        row[6] = "20260317" if how & 128 else "20260317 080000"
    if written & 8 and not written & 16:
        row = ["`" + value for value in row]
    elif not written & 16:
        row = [f'"{value}"' if "," in value else value for value in row]
    line = ",\t|;"[how & 3].join(row) + "\n"
    text = line * 2 + ("合计\n" if written & 64 else "")
    return text.encode("gb18030" if written & 24 == 24 else "utf-8")


def seeds(target):
    if target in FOLDERS:
        return of_channel(target)
    if target == "generic":
        return of_generic()
    if target == "unionpay_zm":
        return (text.encode("gb18030") for text in RECORDS + ["\n".join(RECORDS)])
    if target == "package":
        return of_all(True)
    return list(of_all(False)) + GENERIC + [b"%PDF-1.7", b"<xml><return_msg>No Bill Exist</return_msg></xml>", b"{\"code\":\"X\"}"]


def dictionary(target):
    words = (HERE / f"words/{target}.txt").read_text("utf-8").splitlines()
    encoded = list(MAGIC.get(target, []))
    for word in words:
        for encoding in ("utf-8", "gb18030"):
            if word.encode(encoding) not in encoded:
                encoded.append(word.encode(encoding))
    # The fuzzer wants everything but plain letters as \xNN.
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in encoded)


def main(target, folder, dictionary_file):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (folder / f"{number:03}").write_bytes(seed)
    pathlib.Path(dictionary_file).write_text(dictionary(target))


main(*sys.argv[1:])
