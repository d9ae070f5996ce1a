"""Mapping files: how the columns of somebody's CSV become people and facts. docs/import.md explains every key."""

import re
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from launcher.exits import Exit, Stop
from launcher.importing.templates import columns_of

M = TypeVar("M", bound="Mapping")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name} is not an IANA time zone") from error
    return name


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError("a time of day is written HH:MM")
    return text


Zone = Annotated[str, AfterValidator(_zone)]
TimeOfDay = Annotated[str, AfterValidator(_time)]
When = dict[str, list[str]]
FactKindName = Literal[
    "follow_up", "deal_won", "deal_lost", "deal_reversed", "order", "email", "meeting", "time_spent", "leave"
]


class Mapping(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(Mapping):
    """How the file is written."""

    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)


class Allowed(Mapping):
    """Values that a column of a reference file may have."""

    column: str
    values: list[str]


class Reference(Mapping):
    """Another file, beside the imported one, that its values are checked against. Findings are notes, not refusals."""

    file: str
    key: str
    column: str
    """The imported file's column."""
    report_unused: bool = False
    """Note keys of the reference file that the imported file never names."""
    allowed: list[Allowed] = []
    aliases: dict[str, str] = {}
    """Value in the imported file -> key in the reference file; the key is recorded, and a note says how often."""


class Leave(Mapping):
    """The columns of a leave. Days are written as `time.formats` has them, without a time of day."""

    first: str
    last: str = ""
    """Included; without a column, or where its cell is empty, the first day."""
    first_half: str = ""
    """The half day it begins with; empty for the morning."""
    last_half: str = ""
    """The half day it ends with, included; empty for the afternoon."""
    morning: list[str] = ["morning", "am", "AM", "上午"]
    afternoon: list[str] = ["afternoon", "pm", "PM", "下午"]

    @property
    def columns(self) -> list[str]:
        return [each for each in (self.first, self.last, self.first_half, self.last_half) if each]


class CreditRule(Mapping):
    """Somebody who earned the deal, the owner too. Left out where the person's cell is empty."""

    person: str
    """Template of the employee number."""
    share: str
    """Template of the share: 60, 60 % or 3/5."""
    overlay: bool = False
    """On top of the revenue, not part of it."""


class FactRule(Mapping):
    """One fact that a row implies. Templates name columns as {column}."""

    kind: FactKindName
    when: When = {}
    """Column -> values; all must hold. Empty: every row."""
    id: str
    """Template of the fact's id in the source system; unique per kind."""
    version: str = "0"
    person: str
    """Template of the employee number."""
    at: str
    """The column with the date or time at which it happened."""
    customer: str = ""
    product: str = ""
    channel: str = ""
    amount: str = ""
    minutes: str = ""
    reverses: str = ""
    attributes: dict[str, str] = {}
    leave: Leave | None = None
    """For leave: its days."""
    credits: list[CreditRule] = Field(default=[], max_length=10)
    """For deal_won and order: who earned it, if not the person alone."""
    voided: bool = False
    """The row takes the fact back: its version must be higher than the one taken back."""
    required: list[str] = []
    """Columns that must not be empty for this fact."""

    @model_validator(mode="after")
    def _days_of_leave(self) -> Self:
        if self.kind != "leave" and self.leave is not None:
            raise ValueError(f"{self.kind} has no days of leave")
        if self.kind == "leave" and self.leave is None and not self.voided:
            raise ValueError("leave needs its days: leave = { first = ..., last = ... }")
        return self

    @model_validator(mode="after")
    def _credits_of_deals(self) -> Self:
        if self.credits and self.kind not in {"deal_won", "order"}:
            raise ValueError(f"{self.kind} has no credits: they are for deal_won and order")
        return self

    @property
    def columns(self) -> list[str]:
        templates = (self.id, self.version, self.person, self.customer, self.product, self.channel)
        shared = [template for each in self.credits for template in (each.person, each.share)]
        more = (self.amount, self.minutes, self.reverses, *self.attributes.values(), *shared)
        named = [name for template in (*templates, *more) for name in columns_of(template)]
        days = self.leave.columns if self.leave else []
        return [*named, *self.when, *self.required, self.at, *days]


class NoFact(Mapping):
    """Rows that rightly imply nothing; they are counted under their note."""

    when: When
    note: str = Field(min_length=1)


class Time(Mapping):
    """How dates are written, and when in the day they are meant."""

    formats: list[str] = ["%Y-%m-%d"]
    at: TimeOfDay = "12:00"
    """For formats without a time of day."""
    zone: Zone | None = None
    """Default: the zone of the person's branch."""
    zones: dict[str, Zone] = {}
    """Zone by the value of `zone_column`."""
    zone_column: str = ""


class CrmMapping(Mapping):
    """A CRM export: each row implies facts."""

    source: str = Field(pattern=r"[a-z0-9_.-]{1,40}")
    currency: str = Field(default="CNY", pattern=r"[A-Z]{3}")
    thousands: str = ""
    """A separator to take out of amounts, e.g. `,`."""
    file: File = File()
    time: Time = Time()
    facts: list[FactRule] = Field(min_length=1)
    no_fact: list[NoFact] = []
    references: list[Reference] = []
    key: str = ""
    """Template that names a row in the report; default: the first fact's id."""

    @property
    def columns(self) -> list[str]:
        """Every column of the imported file that is needed, in order of naming, each once."""
        named = [name for rule in self.facts for name in rule.columns]
        named += [name for rule in self.no_fact for name in rule.when]
        named += [reference.column for reference in self.references]
        named += [self.time.zone_column] if self.time.zone_column else []
        return list(dict.fromkeys([*columns_of(self.key), *named]))


class Unit(Mapping):
    """The enterprise, or a unit per value of a template."""

    id: str
    name: str
    zone: Zone | None = None
    zones: dict[str, Zone] = {}
    """Zone by the unit's name."""


class PersonRule(Mapping):
    """A person that a row names. Templates throughout; a text without {} is the same for all."""

    employee_number: str
    name: str
    job_role: str
    id: str = ""
    login: str = ""
    hire_date: str = ""
    probation_start: str = ""
    probation_end: str = ""
    mentor: str = ""
    """Employee number."""
    manager: str = ""
    """Employee number."""
    language: str = ""
    own_roles: list[str] = []
    parent_roles: list[str] = []

    @property
    def columns(self) -> list[str]:
        given = self.model_dump(exclude={"own_roles", "parent_roles"})
        return [name for template in given.values() for name in columns_of(template)]


class PeopleMapping(Mapping):
    """A list of people: each row names one, where the person belongs, and perhaps the manager."""

    enterprise: Unit
    branch: Unit | None = None
    department: Unit | None = None
    person: PersonRule
    manager: PersonRule | None = None
    file: File = File()
    date_formats: list[str] = ["%Y-%m-%d"]

    @model_validator(mode="after")
    def _manager_is_somebody(self) -> Self:
        if self.manager and not self.manager.columns:
            raise ValueError("manager: name a column in its employee_number, or all rows have one manager")
        return self

    @property
    def columns(self) -> list[str]:
        units = [unit for unit in (self.enterprise, self.branch, self.department) if unit]
        named = [name for unit in units for template in (unit.id, unit.name) for name in columns_of(template)]
        named += self.person.columns + (self.manager.columns if self.manager else [])
        return list(dict.fromkeys(named))


def load_mapping(model: type[M], path: Path) -> M:
    """The mapping in the file. Stop (wrong usage) names each wrong key."""
    try:
        told: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return model.model_validate(told)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Stop(f"{path}: cannot be read as TOML: {error}", Exit.USAGE) from error
    except ValidationError as error:
        faults = "\n".join(
            f"  {'.'.join(str(part) for part in fault['loc']) or 'mapping'}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        )
        raise Stop(f"{path}: the mapping is not valid:\n{faults}", Exit.USAGE) from error


def read_day(text: str, formats: list[str]) -> date | None:
    """The day a text means, or None when no format fits."""
    for written in formats:
        try:
            return datetime.strptime(text, written).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None
