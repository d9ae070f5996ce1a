"""A list of people into identity: the units they belong to are made as they are met."""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Final

import grpc
from foothold.identity.v1 import directory_pb2, directory_pb2_grpc
from google.type.date_pb2 import Date

from chassis.errors import AlreadyExists, from_rpc_error
from chassis.ids import new_id
from launcher.importing.directory import nodes
from launcher.importing.mapping import PeopleMapping, PersonRule, Unit, read_day
from launcher.importing.reading import Fault, Row
from launcher.importing.report import Report
from launcher.importing.templates import columns_of, fill
from launcher.reaching import Reached

_BATCH: Final = 500
_KINDS: Final = {
    "enterprise": directory_pb2.NODE_KIND_ENTERPRISE,
    "branch": directory_pb2.NODE_KIND_BRANCH,
    "department": directory_pb2.NODE_KIND_DEPARTMENT,
}


class PeopleImport:
    """Sends rows in batches; `position` is the feed position at which all of them are visible."""

    def __init__(self, reached: Reached, mapping: PeopleMapping, report: Report) -> None:
        self._stub = directory_pb2_grpc.DirectoryServiceStub(reached.channel("identity"))
        self._mapping = mapping
        self._report = report
        self._nodes = {node.id for node in nodes(self._stub)}
        # Where a row's parent would be made by a real run, a dry one checks it at the nearest unit there is.
        self._nearest = {node_id: node_id for node_id in self._nodes}
        self._seen: dict[str, directory_pb2.PersonRow] = {}
        self._batch: list[tuple[Row, directory_pb2.PersonRow]] = []
        self.position = 0

    def take(self, rows: Iterator[Row]) -> None:
        """Send every row; faults and counts go into the report."""
        for row in rows:
            for told in self._people(row):
                self._add(row, told)
            if len(self._batch) >= _BATCH:
                self._flush()
        self._flush()

    def _people(self, row: Row) -> Iterator[directory_pb2.PersonRow]:
        try:
            parent = self._parent(row)
            if self._mapping.manager and fill(self._mapping.manager.employee_number, row.cells):
                yield self._person(self._mapping.manager, row, parent)
            yield self._person(self._mapping.person, row, parent)
        except _Refused as refused:
            key = fill(self._mapping.person.employee_number, row.cells)
            self._report.refuse(Fault(row.line, refused.field, refused.reason, refused.message, key))

    def _add(self, row: Row, told: directory_pb2.PersonRow) -> None:
        number = told.person.employee_number
        before = self._seen.get(number)
        if before is None:
            self._seen[number] = told
            self._batch.append((row, told))
        elif before != told:
            message = f"'{number}' stands further up with other values; the first row counts"
            self._report.refuse(Fault(row.line, "employee_number", "REPEATED", message, number))

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if self._report.dry_run:
            # Without an enterprise there is nothing yet that identity could check them against.
            self._report.recorded += sum(not told.person.parent_id for _, told in batch)
            batch = [(row, told) for row, told in batch if told.person.parent_id]
        if not batch:
            return
        rows = [told for _, told in batch]
        # An id per run: rows are matched by employee number, and who imports again wants to hear how things stand now.
        request = directory_pb2.ImportPeopleRequest(
            request_id=new_id(), rows=rows, dry_run=self._report.dry_run
        )
        answer = self._stub.ImportPeople(request, timeout=300)
        self.position = max(self.position, answer.feed_position)
        outcome = directory_pb2.PersonResult
        for (row, told), result in zip(batch, answer.results, strict=True):
            number = told.person.employee_number
            if result.outcome == outcome.OUTCOME_CREATED:
                self._report.recorded += 1
            elif result.outcome == outcome.OUTCOME_UPDATED:
                self._report.updated += 1
            elif result.outcome == outcome.OUTCOME_UNCHANGED:
                self._report.known += 1
            else:
                self._report.refuse(Fault(row.line, result.field, result.reason, result.message, number))

    def _parent(self, row: Row) -> str:
        parent = ""
        for kind, unit in (
            ("enterprise", self._mapping.enterprise),
            ("branch", self._mapping.branch),
            ("department", self._mapping.department),
        ):
            if unit is not None:
                parent = self._unit(kind, unit, parent, row)
        return self._nearest.get(parent, "")

    def _unit(self, kind: str, unit: Unit, parent: str, row: Row) -> str:
        for column in dict.fromkeys([*columns_of(unit.id), *columns_of(unit.name)]):
            if not row.cells[column]:
                raise _Refused(column, "MISSING", f"the {kind} needs {column}, and it is empty")
        node_id, name = fill(unit.id, row.cells), fill(unit.name, row.cells)
        if node_id in self._nodes:
            return node_id
        zone = unit.zone or unit.zones.get(name, "")
        if unit.zones and not zone:
            column = (columns_of(unit.name) or [kind])[0]
            raise _Refused(column, "ZONE_UNKNOWN", f"the mapping names no time zone for '{name}'")
        node = directory_pb2.Node(id=node_id, parent_id=parent, kind=_KINDS[kind], name=name, time_zone=zone)
        if not self._report.dry_run:
            stamp = hashlib.sha256(node.SerializeToString(deterministic=True)).hexdigest()[:40]
            try:
                self._stub.CreateNode(
                    directory_pb2.CreateNodeRequest(request_id=f"import-{stamp}", node=node)
                )
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
                if not isinstance(failure, AlreadyExists):
                    raise failure from error
        self._nodes.add(node_id)
        self._nearest[node_id] = self._nearest.get(parent, "") if self._report.dry_run else node_id
        return node_id

    def _person(self, rule: PersonRule, row: Row, parent: str) -> directory_pb2.PersonRow:
        cells = row.cells
        for field, template in (("employee_number", rule.employee_number), ("name", rule.name)):
            if not fill(template, cells):
                column = (columns_of(template) or [field])[0]
                raise _Refused(column, "MISSING", f"a person needs {column}, and it is empty")
        person = directory_pb2.Person(
            id=fill(rule.id, cells),
            parent_id=parent,
            name=fill(rule.name, cells),
            employee_number=fill(rule.employee_number, cells),
            login=fill(rule.login, cells).lower(),
            job_role=fill(rule.job_role, cells),
            language=fill(rule.language, cells),
        )
        for field in ("hire_date", "probation_start", "probation_end"):
            text = fill(getattr(rule, field), cells)
            if text:
                getattr(person, field).CopyFrom(self._day(getattr(rule, field), text))
        return directory_pb2.PersonRow(
            person=person,
            mentor_employee_number=fill(rule.mentor, cells),
            manager_employee_number=fill(rule.manager, cells),
            own_roles=rule.own_roles,
            parent_roles=rule.parent_roles,
        )

    def _day(self, template: str, text: str) -> Date:
        found: date | None = read_day(text, self._mapping.date_formats)
        if found is None:
            written = " or ".join(self._mapping.date_formats)
            column = (columns_of(template) or ["date"])[0]
            raise _Refused(column, "DATE_INVALID", f"'{text}' is not a date written {written}")
        return Date(year=found.year, month=found.month, day=found.day)


class _Refused(Exception):  # noqa: N818  an answer about one row
    def __init__(self, field: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.field, self.reason, self.message = field, reason, message
