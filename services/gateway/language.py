"""The reader's language: zh-CN written first, en beside it."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from babel.support import LazyProxy, NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from markupsafe import Markup, escape

from services.gateway.formats import spaced

LOCALES: Final = {"zh": "zh_CN", "en": "en"}
TAGS: Final = {"zh": "zh-CN", "en": "en"}
COOKIE: Final = "language"
FOLDER: Final = Path(__file__).parent / "translations"


def language() -> str:
    """`zh` or `en`: as switched, else as the person's record says, else as the browser asks, else zh."""
    if not has_request_context():
        return "zh"
    kept: str | None = g.get("language")
    if kept is None:
        kept = _choose()
        g.language = kept
    return kept


def _choose() -> str:
    switched = request.cookies.get(COOKIE)
    if switched in LOCALES:
        return str(switched)
    person = g.get("me")
    if person is not None and person.person.language:
        return "en" if person.person.language.startswith("en") else "zh"
    best = request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh")
    return "en" if best == "en" else "zh"


@cache
def _catalogue(code: str) -> NullTranslations:
    return Translations.load(FOLDER, [LOCALES[code]])


def _written(text: str, values: dict[str, Any]) -> str:
    if any(isinstance(value, Markup) for value in values.values()):
        # Finished markup is put in as it is, everything else escaped; tags hold no Chinese, so spacing is safe.
        safe = escape(text) % values
        return Markup(spaced(str(safe))) if language() == "zh" else safe  # noqa: S704  built from escaped parts
    if values:
        text %= values
    return spaced(text) if language() == "zh" else text


def _(message: str, **values: Any) -> str:
    """The message in the reader's language, values put in."""
    return _written(_catalogue(language()).ugettext(message), values)


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """The same where a number decides; it is in the message as %(num)s."""
    text = _catalogue(language()).ungettext(singular, plural, num)
    return _written(text, {"num": num, **values})


def later(message: str) -> str:
    """A message for a table at module level, translated when it is written."""
    return LazyProxy(_, message, enable_cache=False)  # type: ignore[return-value]  # a str in all that is done with it


def install(app: Flask) -> None:
    """Make `_` and `ngettext` known to templates."""
    app.jinja_env.globals.update(
        _=_, ngettext=ngettext, language=language, language_tag=lambda: TAGS[language()]
    )
