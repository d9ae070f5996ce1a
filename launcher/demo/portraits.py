"""Photos for the demo's people: drawn, because none of them has a face."""

import io
from typing import Final

from PIL import Image, ImageDraw

_SIDE: Final = 480
_WALL, _SHIRT, _FACE, _HAIR = "#cfe3dc", "#2f6f62", "#e9c9a8", "#3b3230"


def portrait() -> bytes:
    """A neutral portrait as a JPEG that may be kept with an honour."""
    image = Image.new("RGB", (_SIDE, _SIDE), _WALL)
    draw = ImageDraw.Draw(image)
    draw.ellipse((70, 330, 410, 700), fill=_SHIRT)
    draw.rounded_rectangle((205, 270, 275, 370), radius=30, fill=_FACE)
    draw.ellipse((145, 85, 335, 290), fill=_HAIR)
    draw.ellipse((165, 125, 315, 310), fill=_FACE)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85)
    return written.getvalue()
