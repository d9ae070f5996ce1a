"""Trying plans on past months: asking for it, watching it, and reading what came of it."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from foothold.incentives.v1 import plans_pb2, simulation_pb2
from werkzeug.wrappers import Response as Answer

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import formats, simulation_reading
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import decimal, from_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import name_of, place
from services.gateway.pages.people import groups
from services.gateway.parts import clients, today
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sending import request_id
from services.gateway.spreadsheets import download

blueprint = Blueprint("simulations", __name__)
_PERMISSION: Final = "incentives.plans.simulate"
_MOST: Final = 1000
_SHOWN: Final = 50
_MONTHS: Final = 3
_ORDERS: Final = {
    "winners": simulation_pb2.ListSimulatedPeopleRequest.ORDER_WINNERS,
    "losers": simulation_pb2.ListSimulatedPeopleRequest.ORDER_LOSERS,
}
_OPEN: Final = frozenset((simulation_pb2.Simulation.STATE_WAITING, simulation_pb2.Simulation.STATE_RUNNING))


def months_back(months: int) -> date:
    """The first day of the month so many whole months ago."""
    day = today()
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def start(name: str, node_id: str, first: date, months: int, plans: list[plans_pb2.Plan]) -> str:
    """The id of a simulation that was started. Failure where it is refused."""
    wanted = simulation_pb2.StartSimulationRequest(
        request_id=request_id(),
        name=name,
        node_id=node_id,
        first_month=from_date(first),
        months=months,
        plans=plans,
    )
    return ask(clients().simulations.StartSimulation, wanted).simulation.id


def _overview(*, wrong: dict[str, str] | None = None, trouble: str = "") -> str:
    token = request.args.get("page", "")[:2000]
    answer = ask(
        clients().simulations.ListSimulations,
        simulation_pb2.ListSimulationsRequest(page_size=_SHOWN, page_token=token),
    )
    plans = ask(clients().plans.ListPlans, plans_pb2.ListPlansRequest(page_size=_MOST)).plans
    who = me()
    return render_template(
        "simulations.html",
        form=request.form,
        wrong=wrong or {},
        trouble=trouble,
        places=_widest_first(groups(_PERMISSION)),
        plans=[(each.id, f"{each.name} · {place(who, each.node_id)}") for each in plans],
        simulations=answer.simulations,
        next_page=answer.next_page_token,
        paged=bool(token),
        first=months_back(_MONTHS).strftime("%Y-%m"),
        months=_MONTHS,
        told=simulation_reading,
        states=simulation_pb2.Simulation,
        place=lambda node_id: place(who, node_id),
        name_of=lambda person_id: name_of(who, person_id),
        request_id=new_id(),
    )


def _widest_first(places: dict[str, str]) -> dict[str, str]:
    directory = me().directory
    return dict(sorted(places.items(), key=lambda each: len(directory.ancestors(each[0]))))


@blueprint.get("/plans/simulate")
@needs(_PERMISSION, groups=True)
def overview() -> str:
    return _overview()


@blueprint.post("/plans/simulate")
@needs(_PERMISSION, groups=True)
def begin() -> Answer | tuple[str, int]:
    form = request.form
    wrong: dict[str, str] = {}
    try:
        first = date.fromisoformat(form.get("first_month", "")[:7] + "-01")
    except ValueError:
        first = months_back(_MONTHS)
        wrong["first_month"] = _("A month like 2026-03, please.")
    months = form.get("months", "")
    if not (months.isascii() and months.isdigit() and len(months) <= 2):  # noqa: PLR2004
        wrong["months"] = _("A whole number from 1 to 24, please.")
    chosen = [form[name][:64] for name in ("first", "second") if form.get(name)]
    if not chosen:
        wrong["first"] = _("Choose a plan.")
    if wrong:
        return _overview(wrong=wrong), 422
    name = form.get("name", "").strip() or _("Simulation of %(day)s", day=today().isoformat())
    try:
        made = start(
            name, form.get("node_id", "")[:64], first, int(months), [plans_pb2.Plan(id=id) for id in chosen]
        )
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        return _overview(wrong=faults(failure.fields), trouble=message_of(failure)), status_of(failure)
    return redirect(url_for("simulations.one", simulation_id=made), 303)


@blueprint.get("/plans/simulate/<simulation_id>")
@needs(_PERMISSION, groups=True)
def one(simulation_id: str) -> str:
    return _page(simulation_id)


def _page(simulation_id: str, *, trouble: str = "") -> str:
    answer = ask(
        clients().simulations.GetSimulation, simulation_pb2.GetSimulationRequest(simulation_id=simulation_id)
    )
    simulation, who = answer.simulation, me()
    order = request.args.get("order", "")
    order = order if order in _ORDERS else "winners"
    plan = 1 if request.args.get("plan") == "1" and len(simulation.plans) > 1 else 0
    token = request.args.get("page", "")[:2000]
    done = answer.HasField("result")
    people, token_after = _people(simulation_id, order, plan, token) if done else ([], "")
    directory = who.directory
    return render_template(
        "simulation_body.html" if from_htmx() else "simulation.html",
        simulation=simulation,
        result=answer.result,
        done=done,
        running=simulation.state in _OPEN,
        states=simulation_pb2.Simulation,
        plans=simulation_reading.view(simulation, answer.result) if done else [],
        names=simulation_reading.names(simulation),
        span=simulation_reading.span(simulation),
        difference=simulation_reading.difference,
        months=[
            (f"{each.first_day.year}-{each.first_day.month:02}", each.sums) for each in answer.result.months
        ],
        place=lambda node_id: place(who, node_id),
        author=name_of(who, simulation.author_id),
        people=[
            (each, found.name if (found := directory.person(each.person_id)) else each.person_id)
            for each in people
        ],
        order=order,
        plan=plan,
        next_page=token_after,
        paged=bool(token),
        trouble=trouble,
        request_id=new_id(),
    )


def _people(
    simulation_id: str, order: str, plan: int, token: str
) -> tuple[list[simulation_pb2.SimulatedPerson], str]:
    wanted = simulation_pb2.ListSimulatedPeopleRequest(
        simulation_id=simulation_id, order=_ORDERS[order], plan=plan, page_size=_SHOWN, page_token=token
    )
    answer = ask(clients().simulations.ListSimulatedPeople, wanted)
    return list(answer.people), answer.next_page_token


@blueprint.post("/plans/simulate/<simulation_id>/stop")
@needs(_PERMISSION, groups=True)
def stop(simulation_id: str) -> Answer | tuple[str, int]:
    wanted = simulation_pb2.CancelSimulationRequest(request_id=new_id(), simulation_id=simulation_id)
    try:
        ask(clients().simulations.CancelSimulation, wanted)
    except Failure as failure:
        if failure.reason != "SIMULATION_ENDED":
            raise
        return _page(simulation_id, trouble=message_of(failure)), status_of(failure)
    return redirect(url_for("simulations.one", simulation_id=simulation_id), 303)


def _everybody(simulation_id: str) -> Iterator[simulation_pb2.SimulatedPerson]:
    token = ""
    while True:
        wanted = simulation_pb2.ListSimulatedPeopleRequest(
            simulation_id=simulation_id, page_size=_MOST, page_token=token
        )
        answer = ask(clients().simulations.ListSimulatedPeople, wanted)
        yield from answer.people
        token = answer.next_page_token
        if not token:
            return


@blueprint.get("/plans/simulate/<simulation_id>.csv")
@needs(_PERMISSION, groups=True)
def export(simulation_id: str) -> Response:
    """Everybody of a simulation, as CSV for a spreadsheet: amounts with two decimals and no sign of a currency."""
    wanted = simulation_pb2.GetSimulationRequest(simulation_id=simulation_id)
    simulation = ask(clients().simulations.GetSimulation, wanted).simulation
    plans = [formats.cell(name) for name in simulation_reading.names(simulation)]
    head = [_("Employee number"), _("Name"), _("Paid"), *plans, _("Difference")]
    return download("simulation.csv", head, map(_row, _everybody(simulation_id)))


def _row(each: simulation_pb2.SimulatedPerson) -> list[object]:
    person = me().directory.person(each.person_id)
    return [
        formats.cell(person.employee_number if person else ""),
        formats.cell(person.name if person else each.person_id),
        *map(decimal, (each.paid, *each.simulated, each.gain)),
    ]
