"""Writes the reference pages of docs/ from the code they describe; `--check` fails where one is not fresh.

docs/errors.md, docs/rpcs.md, docs/permissions.md, docs/settings.md
"""

import ast
import importlib
import inspect
import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_SERVICES: Final = ("identity", "goals", "training", "incentives")
_TARGETS: Final = (*_SERVICES, "gateway")
_MADE: Final = "*Made by tools/docs.py from {source}; change that, then run it again.*\n"
_ROLES: Final = (
    *("salesperson", "mentor", "department_manager", "trainer"),
    *("branch_hr", "headquarters_hr", "administrator", "integrator", "operator"),
)


def errors() -> str:
    """The reasons of refusals, in the order of the proto."""
    text = (_ROOT / "proto/foothold/errors/v1/errors.proto").read_text("utf-8")
    lines = [
        "# Error reasons\n",
        _MADE.format(source="proto/foothold/errors/v1/errors.proto"),
        "Every refusal is a `google.rpc.Status` with exactly one `google.rpc.ErrorInfo`: its `reason` is one of these,",
        "its `domain` names the service (`goals.foothold`). A `google.rpc.BadRequest` names the fields at fault. The",
        "gateway answers the same as problem JSON (RFC 9457).\n",
        "| reason | number | what it means |",
        "| --- | --- | --- |",
    ]
    for comment, name, number in re.findall(r"((?:  //[^\n]*\n)+)  ERROR_REASON_(\w+) = (\d+);", text):
        if number != "0":
            lines.append(f"| `{name}` | {number} | {_plain(comment)} |")
    return "\n".join(lines) + "\n"


def rpcs() -> str:
    """Every RPC with what it does and the permission it needs."""
    lines = [
        "# RPCs\n",
        _MADE.format(source="proto/ and services/*/permissions.py"),
        "Messages and fields are documented where they are defined, in proto/; every server answers reflection.\n",
    ]
    for service in _SERVICES:
        rows = _permissions(service)
        for file in sorted((_ROOT / "proto/foothold" / service / "v1").glob("*.proto")):
            text = file.read_text("utf-8")
            for comment, name, body in re.findall(
                r"((?://[^\n]*\n)*)service (\w+) \{\n(.*?)\n\}", text, re.DOTALL
            ):
                lines += [
                    f"## foothold.{service}.v1.{name}\n",
                    _plain(comment) + "\n",
                    "| rpc | what it does | permission |",
                ]
                lines.append("| --- | --- | --- |")
                for told, rpc in re.findall(r"((?:  //[^\n]*\n)+)  rpc (\w+)\(", body):
                    needed = rows[f"/foothold.{service}.v1.{name}/{rpc}"]
                    shown = {"PUBLIC": "open to everybody", "SIGNED_IN": "signed in"}.get(
                        needed, f"`{needed}`"
                    )
                    lines.append(f"| {rpc} | {_plain(told)} | {shown} |")
                lines.append("")
    return "\n".join(lines)


def permissions() -> str:
    """Which built-in role holds which permission."""
    roles = importlib.import_module("services.identity.domain.roles").BUILT_IN
    known = sorted({name for service in _SERVICES for name in _permissions(service).values() if "." in name})
    every = sorted({*known, *(name for _, held in roles.values() for name in held)})
    lines = [
        "# Permissions of the built-in roles\n",
        _MADE.format(source="services/identity/domain/roles.py"),
        "A role bound to a node of the org tree grants its permissions there and below, and nothing else does.",
        "What you may not see is `NOT_FOUND`; what you may see but not do is `PERMISSION_DENIED`.\n",
        "| permission | " + " | ".join(name.replace("_", " ") for name in _ROLES) + " |",
        "| --- |" + " :-: |" * len(_ROLES),
    ]
    lines += [
        f"| `{name}` | " + " | ".join("✓" if name in roles[role][1] else "" for role in _ROLES) + " |"
        for name in every
    ]
    return "\n".join(lines) + "\n"


def settings() -> str:
    """Every setting of every target."""
    lines = [
        "# Settings\n",
        _MADE.format(source="the Settings of each service"),
        "A setting `name` is the environment variable `FOOTHOLD_NAME`; a secret may also stand in a file that",
        "`FOOTHOLD_NAME_FILE` names. With `--config FILE` settings that are no secret come from TOML: `[common]` for",
        "every target that knows them, `[goals]` and so on for one. The environment wins. Unknown names are errors. On",
        "one machine the launcher decides addresses, databases and keys. `foothold check-config` prints what holds.\n",
    ]
    for target in _TARGETS:
        model = importlib.import_module(f"services.{target}.service").Settings
        told = _docstrings(model)
        lines += [f"## {target}\n", "| setting | default | what it is |", "| --- | --- | --- |"]
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else f"`{_default(field.default)}`"
            lines.append(f"| `{name}` | {default} | {_plain(field.description or told.get(name, ''))} |")
        lines.append("")
    return "\n".join(lines)


def _permissions(service: str) -> Mapping[str, str]:
    found: Mapping[str, str] = importlib.import_module(f"services.{service}.permissions").PERMISSIONS
    return found


def _default(value: Any) -> str:
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value() or "empty"
    return str(value) if value not in ("", (), None) else "empty"


def _docstrings(model: type) -> dict[str, str]:
    """What is written under each field."""
    (definition,) = ast.parse(inspect.getsource(model)).body
    found: dict[str, str] = {}
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = str(text.value.value)
    return found


def _plain(comment: str) -> str:
    return " ".join(
        " ".join(line.strip().removeprefix("//").split()) for line in comment.splitlines()
    ).replace("|", "\\|")


def pages() -> Iterator[tuple[Path, str]]:
    """Each page's path and what it should say."""
    for name, make in (
        ("errors", errors),
        ("rpcs", rpcs),
        ("permissions", permissions),
        ("settings", settings),
    ):
        yield _ROOT / "docs" / f"{name}.md", make().rstrip("\n") + "\n"


def main(*, check: bool) -> int:
    """Write the pages, or with `check` name those that differ; the exit code."""
    stale = []
    for path, text in pages():
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(path.relative_to(_ROOT))
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, "utf-8")
    if check and stale:
        print("not fresh, run .venv/bin/python tools/docs.py:", *stale)
        return 1
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(_ROOT))
    sys.exit(main(check="--check" in sys.argv[1:]))
