"""Everything that is not a number, a text or a time: networks, shapes, bits, documents."""

from __future__ import annotations

import json
import random
import re
import uuid
from typing import Any, Final

from harness.rows.hints import Hints
from harness.rows.sample.field import Sampler, ValueField
from harness.rows.sample.texts import vocabulary


def _boolean(field: ValueField, rng: random.Random) -> str:
    rare = re.search(r"deleted|archived|disabled|admin|locked|hidden|blocked", field.name.lower())
    return "t" if rng.random() < (0.05 if rare else 0.6) else "f"


def _uuid(_field: ValueField, rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _inet(field: ValueField, rng: random.Random) -> str:
    if field.edge(rng):
        return rng.choice(["0.0.0.0/0", "::1", "255.255.255.255", "2001:db8::/32"])
    if rng.random() < 0.2:
        return f"2001:db8::{rng.randrange(1, 65536):x}"
    return f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def _cidr(_field: ValueField, rng: random.Random) -> str:
    return f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/24"


def _mac(length: int) -> Sampler:
    def make(_field: ValueField, rng: random.Random) -> str:
        # locally administered: no vendor's
        return ":".join(["02", *(f"{rng.randrange(256):02x}" for _ in range(length - 1))])

    return make


def _bits(field: ValueField, rng: random.Random) -> str:
    length = field.modifier if field.modifier > 0 else 1
    if field.type.name == "varbit":
        length = rng.randint(0, field.modifier if field.modifier > 0 else 16)
    return "".join(rng.choices("01", k=length))


def _bytes(field: ValueField, rng: random.Random) -> str:
    least = field.hints.shortest or 0
    longest = field.hints.longest if field.hints.longest is not None else least + 24
    count = rng.randint(max(least, min(4, longest)), longest)
    return "\\x" + rng.getrandbits(8 * count).to_bytes(count, "big").hex() if count else "\\x"


def _coordinate(rng: random.Random) -> str:
    return f"{rng.randrange(-9000, 9000) / 50:g}"


def _point(rng: random.Random) -> str:
    return f"({_coordinate(rng)},{_coordinate(rng)})"


def _points(least: int, most: int, left: str, right: str) -> Sampler:
    def make(_field: ValueField, rng: random.Random) -> str:
        points = ",".join(_point(rng) for _ in range(rng.randint(least, most)))
        return f"{left}{points}{right}"

    return make


def _line(_field: ValueField, rng: random.Random) -> str:
    return f"{{{rng.randint(1, 9)},{rng.randint(-9, 9)},{rng.randint(-9, 9)}}}"


def _circle(_field: ValueField, rng: random.Random) -> str:
    return f"<{_point(rng)},{rng.randint(1, 20)}>"


def _words(field: ValueField, rng: random.Random) -> str:
    words = rng.sample(vocabulary()["words"], rng.randint(1, 6))
    if field.type.name == "tsvector":
        return " ".join(f"'{word.lower()}':{place + 1}" for place, word in enumerate(words))
    return " & ".join(f"'{word.lower()}'" for word in words[:3])


def _xml(_field: ValueField, rng: random.Random) -> str:
    first, second = rng.sample(vocabulary()["words"], 2)
    return f'<item id="{rng.randrange(1000)}"><{first}>{second}</{first}></item>'


def sample_json(field: ValueField, rng: random.Random) -> str:
    """A JSON document, an object unless the hints ask for another kind."""
    hints = field.hints
    made = _JSON.get(hints.json_type or "object", _object)(hints, rng)
    return json.dumps(made, ensure_ascii=False)


def _object(hints: Hints, rng: random.Random) -> dict[str, Any]:
    words = vocabulary()["words"]
    made: dict[str, Any] = {
        rng.choice(words): rng.choice([rng.choice(words), rng.randrange(100), True, None])
        for _ in range(rng.randint(0, 3))
    }
    for key, inner in hints.json_keys.items():
        made[key] = _json_value(inner, rng)
    return made


def _json_value(hints: Hints, rng: random.Random) -> Any:
    if hints.json_type == "raw" and hints.values:
        return json.loads(hints.values[0])
    if hints.values:
        return rng.choice(hints.values)
    for text, step in ((hints.low, 1), (hints.high, -1)):
        if text is not None and text.lstrip("-").isdigit():
            return int(text) + step
    return rng.choice(vocabulary()["words"])


def _list(hints: Hints, rng: random.Random) -> list[Any]:
    least = hints.shortest or 0
    longest = hints.longest if hints.longest is not None else least + 3
    return rng.choices(vocabulary()["words"], k=rng.randint(least, longest))


_JSON: Final[dict[str, Any]] = {
    "object": _object,
    "array": _list,
    "string": lambda _hints, rng: rng.choice(vocabulary()["words"]),
    "number": lambda _hints, rng: rng.randrange(1000),
    "boolean": lambda _hints, rng: rng.random() < 0.5,
    "null": lambda _hints, _rng: None,
}


def _lsn(_field: ValueField, rng: random.Random) -> str:
    return f"0/{rng.randrange(1 << 32):X}"


def _snapshot(_field: ValueField, rng: random.Random) -> str:
    least = rng.randrange(1, 1000)
    return f"{least}:{least + 5}:{least + 2}"


def _hstore(_field: ValueField, rng: random.Random) -> str:
    words = rng.sample(vocabulary()["words"], 4)
    return f'"{words[0]}"=>"{words[1]}", "{words[2]}"=>NULL'


def _label_path(_field: ValueField, rng: random.Random) -> str:
    return ".".join(rng.sample(vocabulary()["words"], rng.randint(1, 4))).lower()


def _cube(_field: ValueField, rng: random.Random) -> str:
    return f"({rng.randrange(100)}, {rng.randrange(100)})"


def _always(text: str) -> Sampler:
    return lambda _field, _rng: text


SAMPLERS: Final[dict[str, Sampler]] = {
    "bool": _boolean,
    "uuid": _uuid,
    "inet": _inet,
    "cidr": _cidr,
    "macaddr": _mac(6),
    "macaddr8": _mac(8),
    "bit": _bits,
    "varbit": _bits,
    "bytea": _bytes,
    "point": _points(1, 1, "", ""),
    "lseg": _points(2, 2, "[", "]"),
    "box": _points(2, 2, "", ""),
    "path": _points(2, 5, "[", "]"),
    "polygon": _points(3, 6, "(", ")"),
    "line": _line,
    "circle": _circle,
    "tsvector": _words,
    "tsquery": _words,
    "xml": _xml,
    "json": sample_json,
    "jsonb": sample_json,
    "jsonpath": _always("$.a[*]"),
    "pg_lsn": _lsn,
    "tid": lambda _field, rng: f"({rng.randrange(1000)},{rng.randint(1, 90)})",
    "txid_snapshot": _snapshot,
    "pg_snapshot": _snapshot,
    "hstore": _hstore,
    "ltree": _label_path,
    "lquery": _label_path,
    "ltxtquery": lambda _field, rng: rng.choice(vocabulary()["words"]),
    "cube": _cube,
    "seg": lambda _field, rng: f"{rng.randrange(50)} .. {rng.randrange(50, 100)}",
    "regclass": _always("pg_class"),
    "regtype": _always("integer"),
    "regproc": _always("now"),
    "regprocedure": _always("now()"),
    "regoper": _always("pg_catalog.||/"),
    "regoperator": _always("+(integer,integer)"),
    "regrole": _always("-"),
    "regnamespace": _always("pg_catalog"),
    "regconfig": _always("simple"),
    "regdictionary": _always("simple"),
    "regcollation": _always('"C"'),
    "refcursor": lambda _field, rng: rng.choice(vocabulary()["words"]),
    "int2vector": _always("1 2"),
    "oidvector": _always("1 2"),
}
