"""R1: no binary float in the contract, the tables or the domain."""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from foothold.goals.v1 import (
    allocation_pb2,
    calendars_pb2,
    cascade_pb2,
    coaching_pb2,
    coaching_rules_pb2,
    effort_pb2,
    evidence_pb2,
    facts_pb2,
    fairness_pb2,
    feed_pb2,
    forecast_pb2,
    industries_pb2,
    metric_library_pb2,
    metrics_pb2,
    objectives_pb2,
    progress_pb2,
    targets_pb2,
    values_pb2,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from sqlalchemy import Double, Float, MetaData, Numeric, text

import services.goals.domain
import standards
from services.goals.tables import metadata
from standards.tables import metadata as standards_metadata
from tests.conftest import ServiceDatabase

FILES = (
    *(facts_pb2, feed_pb2, metric_library_pb2, metrics_pb2, progress_pb2, targets_pb2, values_pb2),
    *(allocation_pb2, calendars_pb2, cascade_pb2, effort_pb2, evidence_pb2, industries_pb2, objectives_pb2),
    *(coaching_pb2, coaching_rules_pb2, fairness_pb2, forecast_pb2),
)
FLOATS = {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}


def messages() -> Iterator[Descriptor]:
    def within(message: Descriptor) -> Iterator[Descriptor]:
        yield message
        for nested in message.nested_types:
            yield from within(nested)

    for file in FILES:
        for message in file.DESCRIPTOR.message_types_by_name.values():
            yield from within(message)


def test_no_field_of_the_contract_is_a_float() -> None:
    found = [field.full_name for message in messages() for field in message.fields if field.type in FLOATS]
    assert found == []
    assert sum(1 for _ in messages()) > 40


@pytest.mark.parametrize("tables", [metadata, standards_metadata])
def test_no_column_is_a_float(tables: MetaData) -> None:
    for table in tables.tables.values():
        for column in table.columns:
            assert not isinstance(column.type, Float | Double | Numeric), column


def test_no_annotation_in_the_domain_is_a_float() -> None:
    looked_at = 0
    for package in (services.goals.domain, standards):
        for module_info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(module_info.name)
            for name, member in vars(module).items():
                if getattr(member, "__module__", None) != module.__name__:
                    continue
                members = [member, *vars(member).values()] if inspect.isclass(member) else [member]
                for each in members:
                    if inspect.isclass(each) or inspect.isfunction(each):
                        hints = typing.get_type_hints(each)
                        assert not any(_mentions_float(hint) for hint in hints.values()), (name, hints)
                        looked_at += 1
    assert looked_at > 60


def _mentions_float(hint: Any) -> bool:
    return hint is float or any(_mentions_float(part) for part in typing.get_args(hint))


def test_the_tables_are_what_the_migrations_make(database_for: Callable[[str], ServiceDatabase]) -> None:
    with database_for("goals").database.read() as connection:
        rows = connection.execute(
            text(
                "SELECT table_name, column_name, data_type, is_nullable = 'YES' FROM information_schema.columns"
                " WHERE table_schema = current_schema()"
            )
        ).all()
    made: dict[str, dict[str, tuple[str, bool]]] = {}
    for table, column, kind, nullable in rows:
        assert kind not in {"real", "double precision"}, (table, column)
        made.setdefault(table, {})[column] = (kind, nullable)
    for tables in (metadata, standards_metadata):
        for table in tables.tables.values():
            expected = {column.name: bool(column.nullable) for column in table.columns}
            assert {name: nullable for name, (_, nullable) in made[table.name].items()} == expected, table
