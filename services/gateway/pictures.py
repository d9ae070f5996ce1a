"""Uploaded photos, made small and plain: the picture is kept and nothing that came with it.

Whatever is sent is decoded here and nowhere else: this process holds no data that a broken decoder could reach (0432).
"""

import io
import threading
from enum import Enum
from typing import Final

from PIL import Image, ImageOps

LARGEST_UPLOAD: Final = 8 * 1024 * 1024
"""Bytes of a photo as it comes from a phone."""
LARGEST_FORM: Final = 16 * 1024 * 1024
"""Bytes of a form with a photo: read that far, so that a page can say what is too large and keep what was typed."""
LARGEST: Final = 512 * 1024
"""Bytes of a picture as it is kept."""
_WIDEST: Final = 1_024
_QUALITIES: Final = (85, 75, 60, 45, 30, 15)
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
# A JPEG is decoded at the scale that is needed, the others whole: 4 bytes a pixel, twice.
_MOST_PIXELS: Final = 12_000_000
_MOST_PIXELS_OF_JPEG: Final = 50_000_000
# Beside a JPEG's own picture a phone keeps others in the file (depth, brightness); "MPO" is what Pillow calls that.
_JPEGS: Final = frozenset({"JPEG", "MPO"})
# However many are sent at once, the memory of one is enough.
_ONE_AT_A_TIME: Final = threading.Lock()


class Fault(Enum):
    """Why a photo is not taken."""

    TOO_LARGE = "more bytes than a photo may have"
    TOO_WIDE = "more pixels than are decoded"
    MOVES = "an animation"
    UNREADABLE = "no JPEG, PNG or WebP, or a broken one"


class Refused(Exception):  # noqa: N818  it is an answer, not an error
    """A photo that is not taken, and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def plain(sent: bytes) -> bytes:
    """The photo upright, as a baseline JPEG of at most 1,024 px each way and `LARGEST` bytes, with no metadata.

    Refused for what is no still picture within bounds.
    """
    if len(sent) > LARGEST_UPLOAD:
        raise Refused(Fault.TOO_LARGE)
    with _ONE_AT_A_TIME:
        try:
            return _encoded(_read(sent))
        except Refused:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise Refused(Fault.TOO_WIDE) from error
        except Exception as error:
            # Decoders raise what they like on bytes made up: SyntaxError, struct.error, ValueError, OSError.
            raise Refused(Fault.UNREADABLE) from error


def _read(sent: bytes) -> Image.Image:
    with Image.open(io.BytesIO(sent), formats=_FORMATS) as image:
        most = _MOST_PIXELS_OF_JPEG if image.format in _JPEGS else _MOST_PIXELS
        if image.width * image.height > most:
            raise Refused(Fault.TOO_WIDE)
        if image.format not in _JPEGS and getattr(image, "is_animated", False):
            raise Refused(Fault.MOVES)
        if image.format not in _JPEGS and image.mode != "RGB":
            whole = image.convert("RGBA")
            whole.info = image.info
        else:
            whole = image
        whole.thumbnail((_WIDEST, _WIDEST))
        upright = ImageOps.exif_transpose(whole)
    # A new picture takes the pixels over and nothing else; what was transparent is white.
    made = Image.new("RGB", upright.size, "white")
    if upright.mode == "RGBA":
        made.paste(upright, mask=upright)
    else:
        made.paste(upright.convert("RGB"))
    return made


def _encoded(picture: Image.Image) -> bytes:
    """The best that is small enough; noise of this size is about 130 KiB at the last."""
    written = b""
    for quality in _QUALITIES:
        into = io.BytesIO()
        picture.save(into, "JPEG", quality=quality, optimize=True)
        written = into.getvalue()
        if len(written) <= LARGEST:
            break
    return written
