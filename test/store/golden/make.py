"""Writes the golden vectors of packs, layouts and cuts from docs/store.md alone; `--check` holds the files against it.

Nothing of Lockstep is used, and nothing but Python's standard library. Each object is read back by a reader that knows
no more than the document either.
"""

import hashlib
import json
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).parent
PACK_MAGIC = b"lockstep-pack/1\n"
LAYOUT_MAGIC = b"lockstep-layout/1\n"
LOOSE = 0xFFFFFFFF
MIN, MAX = 2 * 1024 * 1024, 8 * 1024 * 1024
GEAR = [
    struct.unpack(">I", hashlib.sha256(b"lockstep-gear/1 %d" % byte).digest()[:4])[0] for byte in range(256)
]


def sha256(data):
    return hashlib.sha256(data).digest()


def name(digest):
    return "sha256:" + digest.hex()


def pack(parts):
    body, index, offset = b"", b"", len(PACK_MAGIC)
    for part in parts:
        body += part
        index += sha256(part) + struct.pack(">II", offset, len(part))
        offset += len(part)
    return PACK_MAGIC + body + index + struct.pack(">I", len(parts)) + PACK_MAGIC


def unpack(data):
    assert data.startswith(PACK_MAGIC) and data.endswith(PACK_MAGIC)
    end = len(data) - len(PACK_MAGIC)
    (count,) = struct.unpack(">I", data[end - 4 : end])
    start = end - 4 - 40 * count
    parts = []
    for at in range(start, end - 4, 40):
        offset, length = struct.unpack(">II", data[at + 32 : at + 40])
        part = data[offset : offset + length]
        assert offset + length <= start and sha256(part) == data[at : at + 32]
        parts.append(part)
    return parts


def layout(places, files):
    """`places`: part -> (pack or None, offset, length); `files`: file -> (size, its chunks in order); all 32 bytes."""
    packs = sorted({place[0] for place in places.values() if place[0] is not None})
    order = sorted(places)
    header = {
        "files": len(files),
        "layoutVersion": 1,
        "packs": [name(digest) for digest in packs],
        "parts": len(order),
    }
    data = LAYOUT_MAGIC + json.dumps(header, separators=(",", ":")).encode() + b"\n"
    for part in order:
        where, offset, length = places[part]
        data += part + struct.pack(">III", LOOSE if where is None else packs.index(where), offset, length)
    for file in sorted(files):
        size, chunks = files[file]
        data += file + struct.pack(">QI", size, len(chunks))
        data += b"".join(struct.pack(">I", order.index(chunk)) for chunk in chunks)
    return data


def read_layout(data):
    assert data.startswith(LAYOUT_MAGIC)
    end = data.index(b"\n", len(LAYOUT_MAGIC))
    header = json.loads(data[len(LAYOUT_MAGIC) : end])
    packs = [bytes.fromhex(pack[7:]) for pack in header["packs"]]
    at, order, places, files = end + 1, [], {}, {}
    for _ in range(header["parts"]):
        where, offset, length = struct.unpack(">III", data[at + 32 : at + 44])
        order.append(data[at : at + 32])
        places[order[-1]] = (None if where == LOOSE else packs[where], offset, length)
        at += 44
    for _ in range(header["files"]):
        file = data[at : at + 32]
        size, count = struct.unpack(">QI", data[at + 32 : at + 44])
        numbers = struct.unpack(">%dI" % count, data[at + 44 : at + 44 + 4 * count])
        files[file] = (size, [order[number] for number in numbers])
        at += 44 + 4 * count
    assert at == len(data)
    return places, files


def cuts(data):
    """Where each chunk but the last ends."""
    ends, start = [], 0
    while len(data) - start > MIN:
        total, at, limit = 0, start + MIN, min(len(data), start + MAX)
        while at < limit:
            total = ((total << 1) + GEAR[data[at]]) & 0xFFFFFFFF
            at += 1
            if total >> 11 == 0:
                break
        if at == len(data) and total >> 11 != 0 and at - start < MAX:
            break
        ends.append(at)
        start = at
    return ends[:-1] if ends and ends[-1] == len(data) else ends


def packs():
    for title, texts in (
        ("one part", ["a\n"]),
        ("several, in the order they came", ["b", "a", "é", "0123456789"]),
        ("an empty part between others", ["x", "", "y"]),
    ):
        parts = [text.encode() for text in texts]
        data = pack(parts)
        assert unpack(data) == parts
        yield {"name": title, "parts": texts, "hex": data.hex(), "digest": name(sha256(data))}


def layouts():
    first, second = sha256(b"first pack"), sha256(b"second pack")
    a, b, c, d = (sha256(text) for text in (b"a", b"b", b"c", b"d"))
    large, larger = sha256(b"large"), sha256(b"larger")
    for title, places, files in (
        ("small files in one pack", {a: (first, 16, 1), b: (first, 17, 300)}, {}),
        (
            "two packs and a blob of its own",
            {c: (second, 16, 7), a: (first, 16, 1), b: (None, 0, 5), d: (first, 4294967000, 295)},
            {},
        ),
        (
            "large files that share chunks",
            {a: (first, 16, 3000000), b: (None, 0, 8388608), c: (None, 0, 12)},
            {large: (3000000 + 8388608 + 8388608 + 12, [a, b, b, c]), larger: (3000000, [a])},
        ),
    ):
        data = layout(places, files)
        assert read_layout(data) == (places, files)
        yield {
            "name": title,
            "places": [
                {"part": name(part), "pack": where and name(where), "offset": offset, "length": length}
                for part, (where, offset, length) in places.items()
            ],
            "files": [
                {"file": name(file), "size": size, "chunks": [name(chunk) for chunk in chunks]}
                for file, (size, chunks) in files.items()
            ],
            "hex": data.hex(),
            "digest": name(sha256(data)),
        }


def chunks():
    """The streams are SHAKE128 of a seed, or one byte over and over."""
    for seed, size in (("lockstep golden 1", 20 * 1024 * 1024), ("lockstep golden 2", 9 * 1024 * 1024)):
        data = hashlib.shake_128(seed.encode()).digest(size)
        yield {"shake128": seed, "size": size, "cuts": cuts(data)}
    yield {"byte": 0, "size": MAX + 1, "cuts": cuts(bytes(MAX + 1))}


def main():
    wrong = []
    for title, vectors in (("packs", packs), ("layouts", layouts), ("chunks", chunks)):
        text = json.dumps(list(vectors()), indent=2, ensure_ascii=False) + "\n"
        path = HERE / f"{title}.json"
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif json.loads(path.read_text(encoding="utf-8")) != json.loads(text):
            wrong.append(path.name)
    if wrong:
        sys.exit(f"not what docs/store.md says: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
