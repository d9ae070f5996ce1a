"""R1: no binary float in any contract, in any table as the migrations make it, or in what computes a figure."""

import ast
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import foothold
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from sqlalchemy import text

from launcher.targets import SERVICES
from tests.conftest import ServiceDatabase

_ROOT: Final = Path(__file__).parents[2]
_CONTRACTS: Final = Path(foothold.__path__[0])
_FLOATS: Final = {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}
# Whatever computes, compares, translates or stores figures; seconds to wait are nobody's figure and live elsewhere.
_EXACT: Final = ("domain", "wire", "store")


def _messages() -> Iterator[Descriptor]:
    def within(message: Descriptor) -> Iterator[Descriptor]:
        yield message
        for nested in message.nested_types:
            yield from within(nested)

    for path in sorted(_CONTRACTS.rglob("*_pb2.py")):
        name = ".".join(("foothold", *path.relative_to(_CONTRACTS).with_suffix("").parts))
        for message in importlib.import_module(name).DESCRIPTOR.message_types_by_name.values():
            yield from within(message)


def test_no_field_of_any_contract_is_a_float() -> None:
    messages = list(_messages())
    assert [each.full_name for message in messages for each in message.fields if each.type in _FLOATS] == []
    # And none of ours carries a message of somebody else's that does.
    foreign = {
        each.message_type
        for message in messages
        for each in message.fields
        if each.message_type and not each.message_type.full_name.startswith("foothold.")
    }
    assert [each.full_name for message in foreign for each in message.fields if each.type in _FLOATS] == []
    assert {message.full_name.split(".")[1] for message in messages} >= set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_no_column_of_a_migrated_schema_is_a_float(
    service: str, database_for: Callable[[str], ServiceDatabase]
) -> None:
    with database_for(service).database.read() as connection:
        columns = connection.execute(
            text(
                "SELECT table_name, column_name, udt_name FROM information_schema.columns"
                " WHERE table_schema = current_schema()"
            )
        ).all()
    assert [
        tuple(each) for each in columns if each.udt_name.lstrip("_") in {"float4", "float8", "money"}
    ] == []
    assert len({each.table_name for each in columns}) > 8


def _exact_files() -> list[Path]:
    found = list((_ROOT / "standards").glob("*.py"))
    for service in SERVICES:
        for room in _EXACT:
            found += (_ROOT / "services" / service).glob(f"{room}.py")
            found += (_ROOT / "services" / service / room).rglob("*.py")
    return sorted(found)


def _floats_in(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        name = isinstance(node, ast.Name) and node.id == "float"
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if name or literal:
            found.append(f"{path.relative_to(_ROOT)}:{getattr(node, 'lineno', 0)}")
    return found


def test_nothing_that_computes_or_keeps_figures_knows_floats() -> None:
    files = _exact_files()
    assert [each for path in files for each in _floats_in(path)] == []
    assert len(files) > 40
