"""Pictures as they may be kept: a small JPEG that holds its picture and nothing else.

It is read no further than its segments: what is shown is decoded by browsers, what is uploaded by the gateway (0432).
"""

from collections.abc import Iterator
from typing import Final

LARGEST: Final = 512 * 1024
"""Bytes of a picture."""
WIDEST: Final = 1_024
"""Pixels, either way."""

_BEGIN: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_JFIF: Final = 0xE0
_FRAME: Final = 0xC0
_SCAN: Final = 0xDA
# Of tables: quantisation, Huffman, restart interval. Whatever else there may be is no part of the picture.
_TABLES: Final = frozenset({0xDB, 0xC4, 0xDD})
_RESTARTS: Final = frozenset(range(0xD0, 0xD8))
_JFIF_SIZE: Final = 14
_LEAST_FRAME: Final = 6


def fault_of(picture: bytes) -> str:
    """What is wrong with a picture: one clause about it; empty where nothing is."""
    if len(picture) > LARGEST:
        return f"must be at most {LARGEST} bytes"
    if not picture.startswith(_BEGIN):
        return "must be a JPEG"
    try:
        segments = list(_segments(picture))
    except (IndexError, ValueError):
        return "must be a whole JPEG with one scan and nothing after it"
    kinds = [kind for kind, _ in segments]
    if not _TABLES | {_JFIF, _FRAME, _SCAN} >= set(kinds):
        return "must hold the picture and nothing else: no EXIF, XMP, colour profile or comment"
    if kinds.count(_FRAME) != 1 or kinds[-1] != _SCAN or kinds.count(_JFIF) > 1:
        return "must be a baseline JPEG of one frame and one scan"
    if any(kind == _JFIF and not _is_plain_jfif(content) for kind, content in segments):
        return "must hold no thumbnail"
    frame = next(content for kind, content in segments if kind == _FRAME)
    sides = (int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5]))
    if len(frame) < _LEAST_FRAME or not all(1 <= side <= WIDEST for side in sides):
        return f"must be 1 to {WIDEST} pixels each way"
    return ""


def _segments(picture: bytes) -> Iterator[tuple[int, bytes]]:
    """Each marker segment up to the scan. ValueError or IndexError unless the scan's data end the file."""
    at = len(_BEGIN)
    while True:
        if picture[at] != 0xFF:  # noqa: PLR2004  what every marker begins with
            raise ValueError
        kind, size = picture[at + 1], int.from_bytes(picture[at + 2 : at + 4])
        content = picture[at + 4 : at + 2 + size]
        if len(content) != size - 2:
            raise ValueError
        yield kind, content
        at += 2 + size
        if kind == _SCAN:
            _require_end(picture, at)
            return


def _require_end(picture: bytes, at: int) -> None:
    """Pass where the picture's data go from `at` to the end of the file."""
    while True:
        at = picture.index(b"\xff", at)
        after = picture[at + 1]
        if after and after not in _RESTARTS:
            if picture[at:] != _END:
                raise ValueError
            return
        at += 2


def _is_plain_jfif(content: bytes) -> bool:
    return len(content) == _JFIF_SIZE and content.startswith(b"JFIF\x00") and content.endswith(b"\x00\x00")
