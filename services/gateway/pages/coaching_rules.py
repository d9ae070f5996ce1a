"""Coaching rules: which step a situation suggests, at which node."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import coaching_rules_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.courses import titles
from services.gateway.pages.goals import is_date, name_of
from services.gateway.pages.people import groups
from services.gateway.pages.standards import metrics
from services.gateway.parts import clients, today
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("coaching_rules", __name__)
_MOST: Final = 500
_FIRST_DAY: Final = date(2000, 1, 1)
_NOT_OF_THE_FORM: Final = (401, 403, 404)
Rule = coaching_rules_pb2.CoachingRule


def _load() -> dict[str, Any]:
    directory = me().directory
    by_node: dict[str, list[Rule]] = defaultdict(list)
    asked = coaching_rules_pb2.ListRulesRequest(page_size=_MOST)
    known = _known()
    if known is not None:
        # As it was known when that day ended where the reader is.
        asked.known_at.FromDatetime(
            datetime.combine(known + timedelta(days=1), time(), ZoneInfo(me().zone)).astimezone(UTC)
        )
    while True:
        answer = ask(clients().coaching_rules.ListRules, asked)
        for rule in answer.rules:
            by_node[rule.node_id].append(rule)
        asked.page_token = answer.next_page_token
        if not asked.page_token:
            break
    ordered = sorted(by_node, key=lambda node: (len(directory.ancestors(node)), node))
    return {
        "groups": [(node, directory.node(node), _ordered(by_node[node])) for node in ordered],
        "built_in": _ordered(answer.built_in),
        "metrics": metrics(),
    }


def _known() -> date | None:
    """The past day whose rules are asked for; None for what holds now."""
    known = is_date(request.args.get("known", ""))
    return known if known is not None and _FIRST_DAY <= known < today() else None


def _ordered(rules: Iterable[Rule]) -> list[Rule]:
    """In the order in which situations are looked at, the one for any metric first."""
    order = list(words.SITUATIONS)
    return sorted(rules, key=lambda rule: (order.index(rule.situation), rule.metric))


@blueprint.get("/coaching/rules")
@needs("goals.coaching.rules.write", groups=True)
def overview() -> str:
    return _page()


def _page(
    *, trouble: str = "", wrong: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None
) -> str:
    """The rules, and the form: with what was typed, or what a rule that is to be changed says."""
    editable = groups("goals.coaching.rules.write")
    loaded = section(_load)
    return render_template(
        "coaching_rules.html",
        rules=loaded,
        places=editable,
        known=_known(),
        form=typed or _chosen(loaded.content) or {"node_id": _widest(), "active": "yes"},
        trouble=trouble,
        wrong=wrong or {},
        courses=titles(),
        request_id=new_id(),
        new_id=new_id,
        name_of=lambda person_id: name_of(me(), person_id),
    )


def _widest() -> str:
    """The widest node the reader sets rules at."""
    return next(iter(me().groups("goals.coaching.rules.write")), "")


def _chosen(loaded: dict[str, Any] | None) -> dict[str, str]:
    """The rule named in the address, as the form holds it; one that comes along is made the reader's own."""
    node_id, situation, metric = (request.args.get(name, "") for name in ("node", "situation", "metric"))
    if not situation or loaded is None:
        return {}
    known = [*loaded["built_in"], *(rule for _node, _place, found in loaded["groups"] for rule in found)]
    for rule in known:
        if (rule.node_id, str(rule.situation), rule.metric) == (node_id, situation, metric):
            return {
                "node_id": node_id or _widest(),
                "situation": situation,
                "metric": metric,
                "step_zh": rule.step_zh,
                "step_en": rule.step_en,
                "days": str(rule.days),
                "course_id": rule.course_id,
                "active": "yes" if rule.active else "",
            }
    return {}


@blueprint.post("/coaching/rules")
@needs("goals.coaching.rules.write", groups=True)
def set_rule() -> Response | tuple[str, int]:
    form = request.form
    days = form.get("days", "").strip()
    rule = Rule(
        node_id=form.get("node_id", "")[:64],
        situation=words.situation_of(form.get("situation", "")),
        metric=form.get("metric", "")[:64],
        step_zh=form.get("step_zh", "").strip(),
        step_en=form.get("step_en", "").strip(),
        # What is no number is out of range as well.
        days=int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0,  # noqa: PLR2004
        course_id=form.get("course_id", "")[:64],
        active=form.get("active") == "yes",
        reason=form.get("reason", "").strip(),
    )
    asked = coaching_rules_pb2.SetRuleRequest(request_id=request_id(), rule=rule)
    try:
        ask(clients().coaching_rules.SetRule, asked)
    except Failure as failure:
        wrong = {name.rpartition(".")[2]: why for name, why in faults(failure.fields).items()}
        if failure.reason == "METRIC_UNKNOWN":
            return _page(wrong={"metric": message_of(failure)}, typed=form), 422
        if status_of(failure) in _NOT_OF_THE_FORM:
            raise
        return _page(trouble=message_of(failure), wrong=wrong, typed=form), status_of(failure)
    flash(_("Saved. It suggests its step from now on, for everybody below who has none of their own."))
    return redirect(url_for("coaching_rules.overview"), 303)


@blueprint.post("/coaching/rules/withdraw")
@needs("goals.coaching.rules.write", groups=True)
def withdraw_rule() -> Response | tuple[str, int]:
    form = request.form
    asked = coaching_rules_pb2.WithdrawRuleRequest(
        request_id=request_id(),
        node_id=form.get("node_id", "")[:64],
        situation=words.situation_of(form.get("situation", "")),
        metric=form.get("metric", "")[:64],
        reason=form.get("reason", "").strip(),
    )
    try:
        ask(clients().coaching_rules.WithdrawRule, asked)
    except Failure as failure:
        if status_of(failure) in _NOT_OF_THE_FORM:
            raise
        trouble = next(iter(faults(failure.fields).values()), message_of(failure))
        return _page(trouble=trouble), status_of(failure)
    flash(_("Taken away. What is set above holds again."))
    return redirect(url_for("coaching_rules.overview"), 303)
