"""Brings both catalogues of the pages' words up to the pages: `make words`, or `python tools/words.py NEW.json`.

NEW.json, where given, is an object of English sentence -> Chinese one (a list of one for a plural form). What is known
stays; what no page says any more goes; English says itself. Prints every sentence without a Chinese one and exits with
1 where there are any.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

_ROOM: Final = Path(__file__).resolve().parents[1] / "services" / "gateway"
_KEYWORDS: Final[Any] = {"_": None, "later": None, "ngettext": (1, 2)}
_METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]


def _said() -> list[Any]:
    """What the pages say: a sentence, or the two English forms of one."""
    found = extract_from_dir(str(_ROOM), _METHODS, keywords=_KEYWORDS)
    return list({message: None for _, _, message, _, _ in found})


def _rewrite(locale: str, new: dict[str, Any]) -> list[str]:
    """Write one catalogue anew; what it has no words for."""
    path = _ROOM / "translations" / locale / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        known = read_po(file, locale=locale)
    made = Catalog(locale=locale)
    made.header_comment = known.header_comment
    made.mime_headers = known.mime_headers
    made.fuzzy = False
    missing = []
    for message in _said():
        key = message if isinstance(message, str) else message[0]
        before = known.get(key)
        words = new.get(key) or (before.string if before else None)
        if locale == "en":
            words = message
        if not words or not any(words):
            missing.append(key)
            words = "" if isinstance(message, str) else ("",)
        if not isinstance(message, str) and isinstance(words, str):
            words = (words,)
        made.add(message, words if isinstance(words, str) else tuple(words))
    with path.open("wb") as file:
        write_po(file, made, width=110, no_location=True, sort_output=True)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, made)
    return missing


def main(arguments: list[str]) -> int:
    """The command; its exit code."""
    new = json.loads(Path(arguments[0]).read_text("utf-8")) if arguments else {}
    _rewrite("en", {})
    missing = _rewrite("zh_CN", new)
    for each in missing:
        print(each)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
