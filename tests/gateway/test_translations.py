"""Both languages say everything, and what is compiled is what is written."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import services.gateway as gateway_package

ROOM: Final = Path(gateway_package.__file__).parent
KEYWORDS: Final[Any] = {"_": None, "later": None, "ngettext": (1, 2)}
METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")


def _used() -> set[str]:
    found = extract_from_dir(str(ROOM), METHODS, keywords=KEYWORDS)
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def _catalogue(locale: str) -> Catalog:
    path = ROOM / "translations" / locale / "LC_MESSAGES" / "messages.po"
    return read_po(io.BytesIO(path.read_bytes()), locale=locale)


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _pairs(catalogue: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    return {_forms(message.id): _forms(message.string) for message in _messages(catalogue)}


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_every_message_on_a_page_is_written_and_none_is_left_over(locale: str) -> None:
    written = {
        _forms(message.id)[0] for message in _messages(_catalogue(locale)) if all(_forms(message.string))
    }
    assert written == _used()


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_no_translation_loses_a_value(locale: str) -> None:
    for message in _messages(_catalogue(locale)):
        asked = set(_PLACEHOLDER.findall(_forms(message.id)[-1]))
        for form in _forms(message.string):
            assert set(_PLACEHOLDER.findall(form)) <= asked
            assert asked - set(_PLACEHOLDER.findall(form)) <= {"num"}


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_the_compiled_catalogue_is_the_written_one(locale: str) -> None:
    folder = ROOM / "translations" / locale / "LC_MESSAGES"
    compiled = read_mo(io.BytesIO((folder / "messages.mo").read_bytes()))
    assert _pairs(compiled) == _pairs(_catalogue(locale))


def test_chinese_uses_full_width_punctuation() -> None:
    half_width = re.compile(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]")
    wrong = [
        form
        for message in _messages(_catalogue("zh_CN"))
        for form in _forms(message.string)
        if half_width.search(form)
    ]
    assert wrong == []
