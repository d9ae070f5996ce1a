"""Configuration files of the launcher: one TOML file for all targets, turned into what each target is given.

[common]                 # for every target that knows the setting
telemetry_endpoint = "http://collector:4317"
[goals]                  # for one target only
database_connections = 16
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import orjson
from pydantic import BaseModel, SecretStr

from launcher.exits import Exit, Stop
from launcher.targets import TARGETS, module_of

_COMMON: Final = "common"


def from_files(target: str, files: Sequence[Path]) -> dict[str, str]:
    """The FOOTHOLD_ variables that the files mean for one target, later files over earlier ones.

    Stop (wrong usage) for a file that is not TOML, an unknown table or setting, and a secret.
    """
    found: dict[str, str] = {}
    for file in files:
        told = _read(file)
        model = module_of(target).Settings
        for name, value in told.get(_COMMON, {}).items():
            if not any(name in module_of(each).Settings.model_fields for each in TARGETS):
                raise Stop(f"{file}: [common] {name} is not a setting of any target", Exit.USAGE)
            if name in model.model_fields:
                _put(found, model, (name,), value, file)
        for name, value in told.get(target, {}).items():
            if name not in model.model_fields:
                raise Stop(f"{file}: [{target}] {name} is not a setting", Exit.USAGE)
            _put(found, model, (name,), value, file)
    return found


def _read(file: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Stop(f"{file}: cannot be read as TOML: {error}", Exit.USAGE) from error
    for table, content in told.items():
        if table not in (_COMMON, *TARGETS) or not isinstance(content, dict):
            raise Stop(
                f"{file}: {table}: only the tables {', '.join((_COMMON, *TARGETS))} belong here", Exit.USAGE
            )
    return told


def _put(
    found: dict[str, str], model: type[BaseModel], path: tuple[str, ...], value: Any, file: Path
) -> None:
    annotation = model.model_fields[path[0]].annotation
    if annotation is SecretStr or SecretStr in get_args(annotation):
        name = f"FOOTHOLD_{path[0].upper()}"
        raise Stop(f"{file}: {path[0]} is a secret; give it as {name} or {name}_FILE", Exit.USAGE)
    text = orjson.dumps(value).decode() if isinstance(value, list | dict) else _plain(value)
    found[f"FOOTHOLD_{path[0].upper()}"] = text


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
