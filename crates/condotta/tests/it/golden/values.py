"""Writes values.json: serialised values of random parameters, as Luigi 3.8.1 writes them.

    python values.py > values.json

Each entry is [kind, text, expected]. The text of a `list`, `dict`, `float`, `duration` or
`interval` is Luigi's own, and the expected text is the same; an interval's is followed by its first
day and the first day after it. A `grid` entry has a value off the grid of `interval` units and the
value that Luigi makes of it.
"""

import datetime
import json
import random
import struct

import luigi
import luigi.date_interval

CHARACTERS = "aé😀\n\t\"\\/\x7f\x00\u2028 zß"


def text(length):
    return "".join(random.choice(CHARACTERS) for _ in range(length))


def number():
    if random.random() < 0.5:
        bits = random.getrandbits(64)
        return struct.unpack("d", struct.pack("Q", bits))[0]
    return round(random.uniform(-1e6, 1e6), random.randint(0, 8)) * 10.0 ** random.randint(-12, 14)


def finite():
    value = number()
    return value if abs(value) < 1e308 else 0.5


def anything(depth=0):
    kind = random.randrange(7 if depth < 3 else 5)
    if kind == 0:
        return random.randint(-(10**18), 10**18)
    if kind == 1:
        return finite()
    if kind == 2:
        return random.choice([None, True, False])
    if kind == 3:
        return text(5)
    if kind == 4:
        return 1.0
    if kind == 5:
        return [anything(depth + 1) for _ in range(3)]
    return {text(3): anything(depth + 1) for _ in range(3)}


def entries():
    for _ in range(100):
        value = str(number())
        yield ["float", value, value]
    for _ in range(30):
        value = luigi.ListParameter().serialize([text(6), text(1)])
        yield ["list", value, value]
    for _ in range(60):
        value = luigi.DictParameter().serialize({"k": anything(), "a": anything()})
        yield ["dict", value, value]
    for _ in range(30):
        seconds = random.randint(0, 10 ** random.randint(1, 9))
        value = luigi.TimeDeltaParameter().serialize(datetime.timedelta(seconds=seconds))
        yield ["duration", value, value]
    for _ in range(30):
        day = datetime.date(1000, 1, 1) + datetime.timedelta(random.randrange(365 * 8990))
        for name in ("Week", "Month", "Year", "Date"):
            interval = getattr(luigi.date_interval, name).from_date(day)
            yield ["interval", str(interval), f"{interval} {interval.date_a} {interval.date_b}"]
    for interval in (2, 3, 7, 45):
        for name in ("Date", "Month", "Year", "DateHour", "DateMinute", "DateSecond"):
            parameter = getattr(luigi, name + "Parameter")(interval=interval)
            for _ in range(5):
                seconds = random.randrange(60 * 60 * 24 * 365 * 200)
                moment = datetime.datetime(1900, 1, 1) + datetime.timedelta(seconds=seconds)
                value = moment if "DateH" in name or "DateM" in name or "DateS" in name else moment.date()
                written = value.strftime(parameter.date_format)
                expected = parameter.serialize(parameter.normalize(value))
                yield [f"grid {name} {interval}", written, expected]


random.seed(20260101)
print("[")
print(",\n".join(json.dumps(entry) for entry in entries()))
print("]")
