"""Changes of valid files: of bits, bytes, lengths and parts, also behind a checksum or a compression."""

import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Mutate = Callable[[bytes, random.Random], bytes]
PIECES = (b"\0", b"\xff", b"[", b"{", b'"', b"null", b"1e999", b"-1", b"NaN", b"\\ud800", b"\n", b"[" * 2000)
LENGTHS = (0, 1, 2, 3, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 80_000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
VALUES = (
    *(
        None,
        True,
        0,
        -1,
        1.5,
        2**31,
        2**63,
        10**400,
        1e308,
        float("inf"),
        float("nan"),
        "",
        "x",
        "\ud800",
        "\u2028",
        "/",
    ),
    *("../../x", "é" * 500, [], {}, [[]], {"": None}, ["x"] * 300),
)
PNG_START = 8


def mutate_bytes(content: bytes, chance: random.Random) -> bytes:
    """Return the content after one to four random changes."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        # Half of the changes hit the header, where lengths and sizes stand.
        start = (
            chance.randrange(len(changed) + 1)
            if chance.random() < 0.5
            else chance.randrange(min(400, len(changed) + 1))
        )
        CHANGES[chance.randrange(len(CHANGES))](changed, start, chance)
    return bytes(changed)


def _flip(changed: bytearray, start: int, chance: random.Random) -> None:
    if start < len(changed):
        changed[start] ^= 1 << chance.randrange(8)


def _delete(changed: bytearray, start: int, chance: random.Random) -> None:
    del changed[start : start + chance.choice((1, 2, 8, 64, 512))]


def _repeat(changed: bytearray, start: int, chance: random.Random) -> None:
    changed[start:start] = changed[start : start + chance.choice((1, 2, 8, 64, 512))] * chance.choice((1, 3, 50))


def _insert(changed: bytearray, start: int, chance: random.Random) -> None:
    changed[start:start] = chance.choice(PIECES)


def _truncate(changed: bytearray, start: int, chance: random.Random) -> None:
    del changed[start:]


def _move(changed: bytearray, start: int, chance: random.Random) -> None:
    part = changed[start : start + chance.choice((4, 16, 100))]
    at = chance.randrange(len(changed) + 1)
    changed[at : at + len(part)] = part


def _set_length(changed: bytearray, start: int, chance: random.Random) -> None:
    """Overwrite 1, 2, 4 or 8 bytes by a number that is a limit of something."""
    kind = chance.choice(("B", "H", "I", "Q", "f"))
    value = chance.choice(LENGTHS)
    number = float(value) if kind == "f" else value & (256 ** struct.calcsize(kind) - 1)
    packed = struct.pack(chance.choice("<>") + kind, number)
    changed[start : start + len(packed)] = packed


CHANGES = (_flip, _delete, _repeat, _insert, _truncate, _move, _set_length, _set_length, _flip)


def mutate_png(content: bytes, chance: random.Random) -> bytes:
    """Change a PNG, in half of the cases with right checksums, so that its decoder goes on."""
    changed = bytearray(mutate_bytes(content, chance))
    at = PNG_START
    while chance.random() < 0.98 and at + 12 <= len(changed):
        length = int.from_bytes(changed[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(changed):
            break
        changed[end : end + 4] = struct.pack(">I", zlib.crc32(changed[at + 4 : end]))
        at = end + 4
    return bytes(changed)


def mutate_gzip(content: bytes, chance: random.Random) -> bytes:
    """Change a gzip file, mostly its content."""
    if chance.random() < 0.2:
        return mutate_bytes(content, chance)
    return gzip.compress(mutate_bytes(gzip.decompress(content), chance), 1)


def mutate_zip(content: bytes, chance: random.Random) -> bytes:
    """Change a zip archive, mostly the content of a member."""
    if chance.random() < 0.3:
        return mutate_bytes(content, chance)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(target, "w") as changed:
        names = archive.namelist()
        hit = chance.choice(names)
        packed = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        for name in names:
            member = archive.read(name)
            changed.writestr(name, mutate_bytes(member, chance) if name == hit else member, packed)
    return target.getvalue()


def mutate_json(content: bytes, chance: random.Random) -> bytes:
    """Change a JSON file or the lines of one: its bytes, or values of it."""
    if chance.random() < 0.4:
        return mutate_bytes(content, chance)
    lines = content.split(b"\n") if b"\n{" in content else [content]
    at = chance.choice([number for number, line in enumerate(lines) if line])
    tree = json.loads(lines[at])
    for _ in range(chance.randint(1, 3)):
        tree = _change_value(tree, chance)
    text = json.dumps(tree)
    lines[at] = text.encode(errors="surrogateescape")
    return b"\n".join(lines)


def _change_value(tree: Any, chance: random.Random) -> Any:
    """Replace, remove or rename one value somewhere in a tree."""
    inside = isinstance(tree, dict | list) and tree and chance.random() < 0.9
    if not inside:
        return chance.choice((chance.choice(VALUES), [tree], {"x": tree}))
    key = chance.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
    if chance.random() < 0.15:
        del tree[key]
    elif isinstance(tree, dict) and chance.random() < 0.1:
        tree[chance.choice(("", "x", "__proto__", "é"))] = tree.pop(key)
    else:
        tree[key] = _change_value(tree[key], chance)
    return tree


def splice(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of the seeds, rarely one that goes on as another."""
    seed = chance.choice(seeds)
    if chance.random() < 0.95:
        return seed
    other = chance.choice(seeds)
    return seed[: chance.randrange(len(seed) + 1)] + other[chance.randrange(len(other) + 1) :]
