"""Pictures for tests, drawn in code: nobody is on them."""

import io
from typing import Any

from PIL import Image

ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825
SECRET = "wo jia zai zheli"


def drawn(
    size: tuple[int, int] = (60, 40), *, kind: str = "JPEG", colour: str = "teal", **options: Any
) -> bytes:
    """One colour, with a red corner at the top left that says which way is up."""
    image = Image.new("RGB", size, colour)
    image.paste("red", (0, 0, size[0] // 3, size[1] // 3))
    return written(image, kind, **options)


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file of that format."""
    into = io.BytesIO()
    image.save(into, kind, **options)
    return into.getvalue()


def telling() -> Image.Exif:
    """Where it was taken and by what; it lies on its side."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[MAKER] = SECRET
    exif.get_ifd(GPS)[2] = (31.0, 13.0, 49.0)
    return exif


def opened(picture: bytes) -> Image.Image:
    """The decoded picture."""
    image = Image.open(io.BytesIO(picture))
    image.load()
    return image
