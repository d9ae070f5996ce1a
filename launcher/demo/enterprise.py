"""The demo enterprise as written in enterprise.toml and courses/*.toml: who there is and what is taught."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

_PROBATION_DAYS: Final = 91
_EXPERIENCED_DAYS: Final = 1400


@dataclass(frozen=True, slots=True)
class Unit:
    """An enterprise, branch or department. `kind` is a NodeKind name without its prefix."""

    id: str
    parent_id: str
    kind: str
    name: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person of the demo. `hired` counts calendar days before the anchor day; `story` only for newcomers."""

    login: str
    name: str
    number: str
    job: str
    unit: str
    hired: int
    own_roles: tuple[str, ...] = ()
    parent_roles: tuple[str, ...] = ()
    bound: tuple[str, str] | None = None
    mentor: str = ""
    manager: str = ""
    story: str = ""
    branch: str = ""

    @property
    def id(self) -> str:
        return self.login.replace(".", "-")

    @property
    def probation_days(self) -> int:
        """How long probation lasts; 0 for people not on probation."""
        return _PROBATION_DAYS if self.story else 0


@dataclass(frozen=True, slots=True)
class DemoEnterprise:
    """All of it, parents before children, mentors and managers before those they look after."""

    id: str
    zone: str
    units: tuple[Unit, ...]
    people: tuple[DemoPerson, ...]

    @property
    def newcomers(self) -> tuple[DemoPerson, ...]:
        return tuple(person for person in self.people if person.story)


@cache
def enterprise() -> DemoEnterprise:
    """The demo enterprise, read once."""
    told = tomllib.loads((files("launcher.demo") / "enterprise.toml").read_text(encoding="utf-8"))
    root = told["enterprise"]
    units = [Unit(root["id"], "", "ENTERPRISE", root["name"], root["zone"])]
    people: list[DemoPerson] = []
    for department in told["departments"]:
        units.append(Unit(department["id"], root["id"], "DEPARTMENT", department["name"]))
        people.extend(_headquarters(department))
    for branch in told["branches"]:
        units.append(Unit(branch["id"], root["id"], "BRANCH", branch["name"], root["zone"]))
        hr_unit = f"{branch['id']}-hr"
        units.append(Unit(hr_unit, branch["id"], "DEPARTMENT", f"{branch['name'][:2]}人力资源部"))
        people.append(
            DemoPerson(
                **branch["hr"],
                job="hr",
                unit=hr_unit,
                hired=_EXPERIENCED_DAYS,
                bound=("branch_hr", branch["id"]),
            )
        )
        for department in branch["departments"]:
            units.append(Unit(department["id"], branch["id"], "DEPARTMENT", department["name"]))
            people.extend(_sales(department, branch["id"]))
    return DemoEnterprise(root["id"], root["zone"], tuple(units), tuple(people))


def _headquarters(department: Mapping[str, Any]) -> Iterator[DemoPerson]:
    for told in department["people"]:
        role, node = told["bind"]
        yield DemoPerson(
            login=told["login"],
            name=told["name"],
            number=told["number"],
            job=told["job"],
            unit=department["id"],
            hired=told["hired"],
            bound=(role, node),
        )


def _sales(department: Mapping[str, Any], branch: str) -> Iterator[DemoPerson]:
    unit, manager, mentors = department["id"], department["manager"], department["mentors"]
    yield DemoPerson(
        **manager,
        job="sales-manager",
        unit=unit,
        hired=_EXPERIENCED_DAYS,
        parent_roles=("department_manager",),
        branch=branch,
    )
    for place, mentor in enumerate(mentors):
        yield DemoPerson(
            **mentor,
            job="senior-sales",
            unit=unit,
            hired=_EXPERIENCED_DAYS - 300 - 40 * place,
            own_roles=("salesperson",),
            manager=manager["number"],
            branch=branch,
        )
    for place, newcomer in enumerate(department["newcomers"]):
        yield DemoPerson(
            **newcomer,
            job="sales",
            unit=unit,
            own_roles=("salesperson",),
            mentor=mentors[place % len(mentors)]["number"],
            manager=manager["number"],
            branch=branch,
        )


@cache
def courses() -> tuple[Mapping[str, Any], ...]:
    """The demo's courses, each before those that require it."""
    folder = files("launcher.demo") / "courses"
    told = [
        tomllib.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    # A course may name its remedial course: that one comes first.
    return tuple(sorted(told, key=lambda course: (not course.get("is_remedial", False), course["order"])))
