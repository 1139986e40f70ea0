"""A loader and an inference written from the two pages in docs/ alone, in plain integers.

No numpy, no safetensors, nothing of the package: only what a reader of docs/weight-stream.md and
docs/ticket-format.md could write in any language. It checks what it needs to and no more.
"""

import hashlib
import json

M32 = (1 << 32) - 1


def ror(x, n):
    """x rotated right by n of 32 bits."""
    return (x >> n | x << (32 - n)) & M32


def start(seed, weight_set, channel, kind):
    """The start state of one stream."""
    x, y = kind << 24 | weight_set, channel
    for i in range(12):
        key = ((seed >> 32 if i % 2 else seed) & M32) ^ i
        x = ((ror(x, 8) + y) & M32) ^ key
        y = ror(y, 29) ^ x
    return (x << 32 | y) or 0x9E3779B97F4A7C15


def sequence(state, length):
    """The first bits of the sequence that starts in a state."""
    x = [state >> i & 1 for i in range(64)]
    while len(x) < length:
        x.append(x[-64] ^ x[-63] ^ x[-61] ^ x[-60])
    return x


def row(kernel, channels):
    """For each position (input channel, ky, kx), or None for padding."""
    padded = 1
    while padded < min(channels, 32):
        padded *= 2
    if channels > 32:
        padded = (channels + 31) // 32 * 32
    places = [
        (c, ky, kx) if c < channels else None
        for ky in range(kernel[0])
        for kx in range(kernel[1])
        for c in range(padded)
    ]
    return places + [None] * (-len(places) % 32)


def bits_of(data, count):
    """The bits of packed bytes."""
    assert len(data) == (count + 7) // 8
    bits = [byte >> i & 1 for byte in data for i in range(8)]
    assert not any(bits[count:])
    return bits[:count]


def weights_of(seed, weight_set, mask, data):
    """One dictionary from (input channel, ky, kx) to weight for each output channel."""
    bits = iter(bits_of(data, mask["bits"]))
    places = row(weight_set["kernel"], weight_set["in_channels"])
    prune, frozen = weight_set["prune"], weight_set["prune"] + weight_set["lock"]
    out = []
    for channel in range(weight_set["out_channels"]):
        signs = sequence(start(seed, weight_set["id"], channel, 0), len(places))
        freeze = sequence(start(seed, weight_set["id"], channel, 1), 8 * len(places))
        weights = {}
        for word in range(0, len(places), 32):
            searchable = []
            for p in range(word, word + 32):
                if places[p] is None:
                    continue
                draw = sum(freeze[8 * p + i] << i for i in range(8))
                weights[p] = 0
                if draw >= frozen:
                    searchable.append(p)
                elif draw >= prune:
                    weights[p] = mask["coats"]
            if "coats" in mask:
                for _ in range(mask["coats"]):
                    searchable = [p for p in searchable if next(bits)]
                    for p in searchable:
                        weights[p] += 1
            else:
                kept = [p for p in searchable if next(bits)]
                sign = {p: next(bits) for p in kept}
                for _ in range(mask["stored"] - 1):
                    for p in kept:
                        weights[p] = 2 * weights[p] + next(bits)
                for p in kept:
                    assert weights[p] > 0
                    weights[p] *= -1 if sign[p] else 1
        if "coats" in mask:
            weights = {p: -w if signs[p] else w for p, w in weights.items()}
        out.append({places[p]: w for p, w in weights.items()})
    assert next(bits, None) is None
    return out


def read(content):
    """Description, tensors as lists of integers, and tensors as bytes."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    text = header.pop("__metadata__")["tombola"]
    description = json.loads(text)
    field = b'\\"sha256\\":\\"' + description["sha256"].encode() + b'\\"'
    assert content.count(field) == 1
    blank = content.replace(field, b'\\"sha256\\":\\"' + 64 * b"0" + b'\\"')
    assert hashlib.sha256(blank).hexdigest() == description["sha256"]
    raw, values = {}, {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw[name] = content[8 + length + begin : 8 + length + end]
        size, signed = {"U8": (1, 0), "I8": (1, 1), "I16": (2, 1), "I32": (4, 1)}[entry["dtype"]]
        values[name] = [
            int.from_bytes(raw[name][i : i + size], "little", signed=bool(signed))
            for i in range(0, len(raw[name]), size)
        ]
    return text, description, values, raw


def written(text, values, raw):
    """The file again, byte for byte, from its description and tensors."""

    def rank(name):
        kind = "I32" if name.endswith("bias") else "I16" if name.endswith("scale") else "U8"
        if name == "input.table":
            kind = "I8" if json.loads(text)["input"]["type"]["signed"] else "U8"
        return ("I32", "I16", "I8", "U8").index(kind), kind

    header, offset, order = (
        {"__metadata__": {"tombola": text}},
        0,
        sorted(raw, key=lambda name: (rank(name)[0], name)),
    )
    for name in order:
        count = len(values[name])
        end = offset + len(raw[name])
        header[name] = {
            "dtype": rank(name)[1],
            "shape": [count // 256, 256] if name == "input.table" else [count],
            "data_offsets": [offset, end],
        }
        offset = end
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + b"".join(raw[name] for name in order)


def window(layer, kernel, shape):
    """For each output position, the positions inside the input with their (ky, kx)."""
    (down, across), (top, left, bottom, right) = layer["stride"], layer["padding"]
    _, height, width = shape
    rows = (height + top + bottom - kernel[0]) // down + 1
    columns = (width + left + right - kernel[1]) // across + 1
    seen = {}
    for y in range(rows):
        for x in range(columns):
            seen[y, x] = [
                (ky, kx, y * down + ky - top, x * across + kx - left)
                for ky in range(kernel[0])
                for kx in range(kernel[1])
                if 0 <= y * down + ky - top < height and 0 <= x * across + kx - left < width
            ]
    return rows, columns, seen


def run(content, image):
    """Every tensor as (shape, dictionary from (channel, y, x) to value)."""
    _, ticket, values, raw = read(content)
    channels, height, width = shape = tuple(ticket["input"]["shape"])
    table = values["input.table"]
    wide = len(table) > 256
    places = [(c, y, x) for c in range(channels) for y in range(height) for x in range(width)]
    tensors = [
        (
            shape,
            {at: table[256 * at[0] * wide + byte] for at, byte in zip(places, image, strict=True)},
        )
    ]
    for layer in ticket["layers"]:
        shape, source = tensors[layer["input"]]
        sums = {}
        if layer["op"] == "conv":
            mask = ticket["masks"][layer["mask"]]
            weight_set = ticket["weight_sets"][mask["weight_set"]]
            weights = weights_of(
                int(ticket["seed"], 16), weight_set, mask, raw[f"mask.{layer['mask']}"]
            )
            outs, ins = weight_set["out_channels"], weight_set["in_channels"]
            rows, columns, seen = window(layer, weight_set["kernel"], shape)
            for o in range(outs):
                g = o // (outs // layer["groups"])
                for (y, x), inside in seen.items():
                    sums[o, y, x] = sum(
                        weights[o][i, ky, kx] * source[g * ins + i, sy, sx]
                        for ky, kx, sy, sx in inside
                        for i in range(ins)
                    )
        elif layer["op"] in ("max_pool", "average_pool"):
            join = max if layer["op"] == "max_pool" else sum
            outs = shape[0]
            rows, columns, seen = window(layer, layer["kernel"], shape)
            for o in range(outs):
                for (y, x), inside in seen.items():
                    sums[o, y, x] = join(source[o, sy, sx] for _, _, sy, sx in inside)
        else:
            assert layer["op"] == "rescale"
            (outs, rows, columns), sums = shape, source
        if layer["op"] != "max_pool":
            which = layer["requantisation"]
            entry = ticket["requantisations"][which]
            added = layer.get("residual", {"tensor": layer["input"], "scale": 0})
            other = tensors[added["tensor"]][1]
            half = (1 << entry["shift"]) >> 1
            result = {}
            for at, acc in sums.items():
                m = values[f"requantisation.{which}.scale"][at[0]]
                b = values[f"requantisation.{which}.bias"][at[0]]
                extra = other[at] * added["scale"] if added["scale"] else 0
                total = (acc * m + extra + b + half) >> entry["shift"]
                if "clamp" in entry:
                    total = min(max(total, entry["clamp"][0]), entry["clamp"][1])
                result[at] = total
            sums = result
        tensors.append(((outs, rows, columns), sums))
    return tensors


def flat(tensor):
    """The values of a tensor in the order channel, y, x."""
    return [tensor[1][at] for at in sorted(tensor[1])]
