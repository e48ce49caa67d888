"""Zeiss .czi files written from their published layout, so that what they show is known.

Carl Zeiss Microscopy, "ZISRAW (CZI) File Format", segments of 32 bytes of header and their data.
"""

import struct
from pathlib import Path

import numpy as np

PIXEL_TYPES = {"Gray8": 0, "Gray16": 1, "Bgr24": 3}


def write_czi(
    path: Path,
    planes: dict[tuple[int, int], np.ndarray],
    *,
    pixel_type: str = "Gray16",
    names: tuple[str, ...] = (),
    um: float | None = 0.25,
    with_z: bool = True,
) -> Path:
    """Write planes, each as a single uncompressed tile; keys are (z, channel)."""
    (height, width), entries, blocks = next(iter(planes.values())).shape[:2], [], []
    position = 32 + 512
    for (z, channel), pixels in planes.items():
        sizes = {"X": (0, width), "Y": (0, height), "C": (channel, 1)} | ({"Z": (z, 1)} if with_z else {})
        entry = _entry(pixel_type, position, sizes)
        data = np.ascontiguousarray(pixels).tobytes()
        head = struct.pack("<iiq", 0, 0, len(data)) + entry
        blocks.append(_segment("ZISRAWSUBBLOCK", head.ljust(256, b"\0") + data))
        entries.append(entry)
        position += len(blocks[-1])
    directory = _segment("ZISRAWDIRECTORY", struct.pack("<i124x", len(entries)) + b"".join(entries))
    xml = _xml(planes, pixel_type, names, um).encode()
    notes = _segment("ZISRAWMETADATA", struct.pack("<ii248x", len(xml), 0) + xml)
    attachments = _segment("ZISRAWATTDIR", struct.pack("<i252x", 0))
    guid = b"0123456789abcdef"
    header = struct.pack("<iiii", 1, 0, 0, 0) + guid + guid
    header += struct.pack(
        "<iqqiq", 0, position, position + len(directory), 0, position + len(directory + notes)
    )
    path.write_bytes(
        b"".join([_segment("ZISRAWFILE", header.ljust(512, b"\0")), *blocks, directory, notes, attachments])
    )
    return path


def _segment(name: str, data: bytes) -> bytes:
    room = -len(data) % 32
    return (
        name.encode().ljust(16, b"\0") + struct.pack("<qq", len(data) + room, len(data)) + data + bytes(room)
    )


def _entry(pixel_type: str, position: int, sizes: dict[str, tuple[int, int]]) -> bytes:
    dimensions = b"".join(
        name.encode().ljust(4, b"\0") + struct.pack("<iifi", start, size, float(start), size)
        for name, (start, size) in sizes.items()
    )
    head = struct.pack("<2siqiiB5xi", b"DV", PIXEL_TYPES[pixel_type], position, 0, 0, 0, len(sizes))
    return head + dimensions


def _xml(planes, pixel_type, names, um):
    (height, width), zs = next(iter(planes.values())).shape[:2], {z for z, _ in planes}
    channels = "".join(
        f'<Channel Id="Channel:{k}" Name="{name}"><PixelType>{pixel_type}</PixelType></Channel>'
        for k, name in enumerate(names)
    )
    scaling = "".join(
        f'<Distance Id="{axis}"><Value>{um * 1e-6}</Value></Distance>' for axis in "XY" if um is not None
    )
    return (
        '<?xml version="1.0"?><ImageDocument><Metadata><Information><Image>'
        f"<SizeX>{width}</SizeX><SizeY>{height}</SizeY><SizeC>{max(len(names), 1)}</SizeC>"
        f"<SizeZ>{len(zs)}</SizeZ><PixelType>{pixel_type}</PixelType>"
        f"<Dimensions><Channels>{channels}</Channels></Dimensions></Image></Information>"
        f"<Scaling><Items>{scaling}</Items></Scaling></Metadata></ImageDocument>"
    )
