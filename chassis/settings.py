"""Settings: one frozen pydantic model, filled from TOML files and then from the environment.

Whatever is not known is refused, wherever it stands: a misspelt key must not be a silent default. Secrets
(fields of type SecretStr) come from the environment or from a file that `..._FILE` names, never from the
TOML, and no message shows a value.
"""

import os
import tomllib
import types
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, Union, get_args, get_origin

import orjson
from pydantic import BaseModel, SecretStr, ValidationError

M = TypeVar("M", bound=BaseModel)

PREFIX: Final = "FOOTHOLD_"
_LEVEL: Final = "__"
_FROM_FILE: Final = "_file"


class SettingsError(ValueError):
    """The settings cannot be used; `problems` says all of it, a line each, without values."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def load(
    model: type[M],
    files: Sequence[Path] = (),
    environ: Mapping[str, str] | None = None,
    *,
    ignore: Collection[str] = (),
) -> M:
    """The settings from `files`, later ones over earlier ones, and from `environ` over them all.

    The field `database.pool_size` is `FOOTHOLD_DATABASE__POOL_SIZE` there; `FOOTHOLD_DATABASE__PASSWORD_FILE`
    names a file with the password. Lists and tables are written as JSON. `ignore` names variables with the
    prefix that are somebody else's. SettingsError with every problem found.
    """
    _require_strict(model)
    problems: list[str] = []
    values: dict[str, Any] = {}
    for file in files:
        _merge(values, _read_toml(model, file, problems))
    variables = os.environ if environ is None else environ
    for name in sorted(variables):
        if name.startswith(PREFIX) and name not in ignore:
            _take_variable(model, name, variables, values, problems)
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        problems += [
            f"{'.'.join(str(part) for part in problem['loc']) or 'settings'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise SettingsError(problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _read_toml(model: type[BaseModel], file: Path, problems: list[str]) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        problems.append(f"{file}: {error.strerror}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{file}: not valid TOML: {error}")
        return {}
    problems += [
        f"{file}: {'.'.join(path)} is a secret; give it as {_variable(path)} or {_variable(path)}_FILE"
        for path in _leaves(content)
        if _is_secret(_find(model, path))
    ]
    return content


def _take_variable(
    model: type[BaseModel],
    name: str,
    variables: Mapping[str, str],
    values: dict[str, Any],
    problems: list[str],
) -> None:
    path = tuple(name.removeprefix(PREFIX).lower().split(_LEVEL))
    found, value = _find(model, path), variables[name]
    if found is None and path[-1].endswith(_FROM_FILE):
        path = (*path[:-1], path[-1].removesuffix(_FROM_FILE))
        found = _find(model, path)
        if found is not None:
            if _variable(path) in variables:
                problems.append(f"{name}: {_variable(path)} is set as well; set one of them")
            try:
                value = Path(value).read_text("utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{name}: the file cannot be read ({type(error).__name__})")
                return
    if found is None:
        problems.append(f"{name}: there is no such setting")
        return
    parsed: Any = value
    if value[:1] in {"[", "{"} and not _is_secret(found):
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            problems.append(f"{name}: not valid JSON")
            return
    inner = values
    for part in path[:-1]:
        nested = inner.setdefault(part, {})
        if not isinstance(nested, dict):
            problems.append(f"{name}: {part} is not a table")
            return
        inner = nested
    inner[path[-1]] = parsed


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _variable(path: Sequence[str]) -> str:
    return PREFIX + _LEVEL.join(path).upper()


def _leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in values.items():
        path = (*above, key)
        found += _leaves(value, path) if isinstance(value, dict) else [path]
    return found


def _find(model: type[BaseModel], path: Sequence[str]) -> Any:
    """The annotation of the field at a path; None where there is no such field."""
    annotation: Any = model
    for part in path:
        inner = next(
            (each for each in _alternatives(annotation) if _is_model(each) or get_origin(each) is dict), None
        )
        if inner is not None and _is_model(inner):
            field = inner.model_fields.get(part)
            if field is None:
                return None
            annotation = field.annotation
        elif get_origin(inner) is dict:
            annotation = get_args(inner)[1]
        else:
            return None
    return annotation


def _alternatives(annotation: Any) -> Sequence[Any]:
    return get_args(annotation) if get_origin(annotation) in {Union, types.UnionType} else (annotation,)


def _is_secret(annotation: Any) -> bool:
    return any(each is SecretStr for each in _alternatives(annotation))


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _require_strict(model: type[BaseModel]) -> None:
    if model.model_config.get("extra") != "forbid" or not model.model_config.get("frozen"):
        raise TypeError(f'{model.__name__} needs model_config = ConfigDict(frozen=True, extra="forbid")')
    for field in model.model_fields.values():
        for each in _alternatives(field.annotation):
            if _is_model(each):
                _require_strict(each)
