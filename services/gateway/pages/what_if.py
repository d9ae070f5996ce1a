"""What-ifs: what the month would come to with more of something, and what a wished amount takes. Nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, abort, render_template, request
from foothold.incentives.v1 import values_pb2, whatif_pb2
from google.type.money_pb2 import Money

from chassis.errors import NotFound
from services.gateway import course_titles, formats, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_typed, minor
from services.gateway.language import _, later, ngettext
from services.gateway.me import me
from services.gateway.parts import clients, parts
from services.gateway.sections import Section, section
from services.gateway.standards_forms import number

blueprint = Blueprint("what_if", __name__)
LEVERS: Final = {
    "new_customers": later("More new customers"),
    "deals": later("More deals"),
    "order_value": later("More order value"),
    "emails": later("More e-mails"),
    "meetings": later("More meetings"),
}
_MOST: Final = {"order_value": 100_000_000}
_MOST_COUNTED: Final = 1_000
_SLIDES: Final = {"order_value": 100_000}
"""How far a slider goes; a number beside it goes further."""
_SLIDES_COUNTED: Final = 20
_OWN: Final = "own-"
"""Before the name of a metric of the enterprise's own, in the names of fields."""
_OWN_SLIDES: Final = {values_pb2.UNIT_MONEY: (100_000, 500), values_pb2.UNIT_MINUTES: (600, 10)}
"""How far and in what steps a slider of an own metric goes, where it does not count things."""
_LARGEST_WISH: Final = 10**10
_LOWERED: Final = ("close_rate",)
"""Rates that a follow-up without a deal lowers."""


@dataclass(frozen=True, slots=True)
class Slider:
    """One thing there can be more of."""

    name: str
    label: str
    value: int
    slides: int
    most: int
    step: int
    wrong: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a wished total takes: `typed` as asked for; `wrong` where it is no amount."""

    typed: str
    wrong: str
    answer: whatif_pb2.ReachTotalResponse | None


@dataclass(frozen=True, slots=True)
class Tried:
    """A what-if. `rates` are those that a follow-up without a deal lowers, to be held or not.

    `courses` are asked for and not passed, by id with their titles; of them `passed` are reckoned as passed.
    """

    answer: whatif_pb2.TryChangesResponse
    sliders: list[Slider]
    rates: list[str]
    held: list[str]
    courses: list[tuple[str, str]]
    passed: list[str]
    wish: Wish


@blueprint.get("/bonus/what-if")
@needs("incentives.statements.read", own=True)
def mine() -> str:
    return _page(me().id, own=True)


@blueprint.get("/team/<person_id>/what-if")
@needs("incentives.statements.read")
def of_person(person_id: str) -> str:
    if me().directory.person(person_id) is None or not me().covers("incentives.statements.read", person_id):
        abort(404)
    return _page(person_id, own=person_id == me().id)


def _page(person_id: str, *, own: bool) -> str:
    return render_template(
        "what_if.html",
        person=me().directory.person(person_id),
        own=own,
        found=_found(person_id),
        ways=_ways,
        does=_does,
        stops=_stops,
        asked=any(name in (*LEVERS, "total", "passed") or name.startswith(_OWN) for name in request.args),
    )


def _found(person_id: str) -> Section[Tried | None]:
    """None where no plan applies."""

    def load() -> Tried | None:
        typed, wrong = _typed()
        held = request.args.getlist("hold")[:5]
        tried = whatif_pb2.TryChangesRequest(
            person_id=person_id, changes=whatif_pb2.Changes(**typed), hold=_known(held)
        )
        try:
            answer = ask(clients().what_if.TryChanges, tried)
            ticked = request.args.getlist("passed")
            passed = [each for each in answer.course_ids if each in ticked][:20]
            own = [_own_slider(each) for each in answer.own_levers]
            tried.own.extend(
                whatif_pb2.OwnChange(metric=slider.name.removeprefix(_OWN), more=slider.value)
                for slider in own
                if slider.value
            )
            tried.passed.extend(passed)
            if tried.own or passed:
                answer = ask(clients().what_if.TryChanges, tried)
        except NotFound as failure:
            if failure.reason != "PLAN_UNKNOWN":
                raise
            return None
        rates = [each.metric for each in answer.values if each.metric in _LOWERED]
        return Tried(
            answer,
            [*(_slider(name, typed.get(name, 0), wrong.get(name, "")) for name in answer.levers), *own],
            rates,
            held,
            [(each, course_titles.title_of(each)) for each in answer.course_ids],
            passed,
            _wish(person_id, held, passed),
        )

    # None is an answer: what failed is told by `trouble`.
    return section(load)


def _known(held: Sequence[str]) -> list[str]:
    return [name for name in _LOWERED if name in held]


def _typed() -> tuple[dict[str, int], dict[str, str]]:
    """How much more of each, as typed; what is no such number counts as none and is said."""
    typed: dict[str, int] = {}
    wrong: dict[str, str] = {}
    for name in LEVERS:
        typed[name], wrong[name] = _number(name, _MOST.get(name, _MOST_COUNTED))
    return typed, wrong


def _number(name: str, most: int) -> tuple[int, str]:
    """What a field holds, and what is wrong with it; 0 where it is empty or wrong."""
    text = request.args.get(name, "").strip()[:20]
    if not text:
        return 0, ""
    if text.isascii() and text.isdigit() and int(text) <= most:
        return int(text), ""
    return 0, _("A whole number from 0 to %(most)s, please.", most=formats.count(most))


def _slider(name: str, value: int, wrong: str) -> Slider:
    most, slides = _MOST.get(name, _MOST_COUNTED), _SLIDES.get(name, _SLIDES_COUNTED)
    return Slider(name, str(LEVERS[name]), value, slides, most, 500 if name in _SLIDES else 1, wrong)


def _own_slider(lever: whatif_pb2.OwnLever) -> Slider:
    """A metric of the enterprise's own, by its title and with its unit where it does not count things."""
    name = f"{_OWN}{lever.metric}"
    value, wrong = _number(name, lever.most)
    slides, step = _OWN_SLIDES.get(lever.unit, (_SLIDES_COUNTED, 1))
    title = words.metric(lever.metric)
    label = {
        values_pb2.UNIT_MONEY: _(
            "More of “%(metric)s”, in %(unit)s", metric=title, unit=parts().settings.currency
        ),
        values_pb2.UNIT_MINUTES: _("More of “%(metric)s”, in minutes", metric=title),
    }.get(lever.unit, _("More of “%(metric)s”", metric=title))
    return Slider(name, label, value, slides, lever.most, step, wrong, own=True)


def _wish(person_id: str, held: Sequence[str], passed: Sequence[str]) -> Wish:
    text = request.args.get("total", "").strip()[:20]
    if not text:
        return Wish("", "", None)
    typed = number(text)
    sound = typed is not None and 0 < typed <= _LARGEST_WISH
    if typed is None or not sound or (total := from_typed(typed, parts().settings.currency)) is None:
        return Wish(text, _("An amount like 1200 or 1200.50, please."), None)
    asked = whatif_pb2.ReachTotalRequest(person_id=person_id, total=total, hold=_known(held), passed=passed)
    return Wish(text, "", ask(clients().what_if.ReachTotal, asked))


def _ways(answer: whatif_pb2.ReachTotalResponse) -> list[tuple[str, Money, str]]:
    """Each way in words, what it comes to, and what happens where what was held does not hold."""
    told = []
    for way in answer.ways:
        aside = ""
        if way.total_unheld != way.total:
            gained, hoped = (minor(each) - minor(answer.now) for each in (way.total_unheld, way.total))
            if way.changes.deals or gained <= 0:
                unheld = formats.money(minor(way.total_unheld), way.total.currency_code)
                aside = _("%(total)s in all once the close rate moves with it", total=unheld)
            else:
                more, not_more = (formats.money(each, way.total.currency_code) for each in (gained, hoped))
                aside = _("without another deal: %(gained)s more, not %(hoped)s", gained=more, hoped=not_more)
        told.append((_does(way.changes), way.total, aside))
    return told


def _stops(tried: Tried) -> list[str]:
    """The lines that take off what more would bring, such as a cap, where a wish is out of reach."""
    answer = tried.wish.answer
    best = answer.best.lines if answer else []
    lines = [
        *((each.label, each.after) for each in best),
        *((each.label, each.after) for each in tried.answer.lines),
    ]
    return list(dict.fromkeys(label for label, then in lines if minor(then) < 0))


def _does(changes: whatif_pb2.Changes) -> str:
    """What it takes, as a phrase: "follow up 2 new customers and win 1 more deal"."""
    currency = parts().settings.currency
    phrases = []
    if changes.new_customers:
        phrases.append(
            ngettext(
                "follow up %(num)s new customer", "follow up %(num)s new customers", changes.new_customers
            )
        )
    if changes.deals:
        phrases.append(ngettext("win %(num)s more deal", "win %(num)s more deals", changes.deals))
    if changes.order_value:
        phrases.append(
            _("sell for %(amount)s more", amount=formats.money(changes.order_value * 100, currency))
        )
    if changes.emails:
        phrases.append(ngettext("send %(num)s more e-mail", "send %(num)s more e-mails", changes.emails))
    if changes.meetings:
        phrases.append(ngettext("hold %(num)s more meeting", "hold %(num)s more meetings", changes.meetings))
    return _(" and ").join(phrases)
