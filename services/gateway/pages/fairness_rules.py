"""Rules of fair play: what holds where, and what another number would notice before it is set."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import fairness_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import fairness_words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import name_of
from services.gateway.pages.people import groups
from services.gateway.parts import clients
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("fairness_rules", __name__)
_WRITE: Final = "goals.fairness.rules.write"
_MOST: Final = 500
_NOT_OF_THE_FORM: Final = (401, 403, 404)
_LONGEST: Final = 4
Rule = fairness_pb2.FairnessRule


def _load() -> dict[str, Any]:
    answer = ask(clients().fairness.ListFairnessRules, fairness_pb2.ListFairnessRulesRequest(page_size=_MOST))
    directory = me().directory
    ordered = sorted(
        answer.rules, key=lambda rule: (len(directory.ancestors(rule.node_id)), rule.node_id, rule.kind)
    )
    places = {
        rule.node_id: node.name for rule in ordered if (node := directory.node(rule.node_id)) is not None
    }
    return {"rules": ordered, "built_in": list(answer.built_in), "places": places}


@blueprint.get("/fairness/rules")
@needs(_WRITE, groups=True)
def overview() -> str:
    return _page()


def _page(
    *,
    trouble: str = "",
    wrong: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    preview: fairness_pb2.PreviewFairnessRuleResponse | None = None,
) -> str:
    """The rules, and the form for the chosen kind: with what was typed, or what the chosen rule says."""
    loaded = section(_load)
    form = typed or _chosen(loaded.content)
    kind = _kind(form.get("kind", ""))
    return render_template(
        "fairness_rules.html",
        rules=loaded,
        places=groups(_WRITE),
        form=form,
        kind=kind,
        numbers=fairness_words.NUMBERS.get(kind, ()),
        said=fairness_words,
        trouble=trouble,
        wrong=wrong or {},
        preview=preview,
        request_id=new_id(),
        name_of=lambda id: name_of(me(), id),
    )


def _kind(typed: str) -> int:
    """A kind of rule as chosen; the first where none is."""
    known = {str(each): each for each in fairness_words.KINDS}
    return known.get(typed, next(iter(fairness_words.KINDS)))


def _chosen(loaded: dict[str, Any] | None) -> dict[str, str]:
    """The rule named in the address, as the form holds it; one that comes along is made the reader's own."""
    node_id = request.args.get("node", "")
    kind = _kind(request.args.get("kind", ""))
    widest = next(iter(me().groups(_WRITE)), "")
    form = {"node_id": node_id or widest, "kind": str(kind), "active": "yes"}
    known = [*loaded["built_in"], *loaded["rules"]] if loaded is not None else []
    for rule in known:
        if (rule.kind, rule.node_id) == (kind, node_id):
            form |= {name: str(getattr(rule, name)) for name in fairness_words.NUMBERS[kind]}
            form["active"] = "yes" if rule.active else ""
    return form


@blueprint.post("/fairness/rules")
@needs(_WRITE, groups=True)
def set_rule() -> Response | str | tuple[str, int]:
    """Set a rule; with `look` only say what it would notice."""
    form = request.form
    kind = _kind(form.get("kind", ""))
    typed = {name: form.get(name, "").strip() for name in fairness_words.NUMBERS[kind]}
    # What is no number is out of range as well.
    numbers = {
        name: int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else -1
        for name, text in typed.items()
    }
    rule = Rule(
        node_id=form.get("node_id", "")[:64],
        kind=kind,  # type: ignore[arg-type]  # one of the enum's numbers
        active=form.get("active") == "yes",
        reason=form.get("reason", "").strip(),
    )
    for name, number in numbers.items():
        setattr(rule, name, number)
    look = form.get("action") == "look"
    try:
        if look:
            asked = fairness_pb2.PreviewFairnessRuleRequest(rule=rule)
            return _page(typed=form, preview=ask(clients().fairness.PreviewFairnessRule, asked))
        ask(
            clients().fairness.SetFairnessRule,
            fairness_pb2.SetFairnessRuleRequest(request_id=request_id(), rule=rule),
        )
    except Failure as failure:
        if status_of(failure) in _NOT_OF_THE_FORM:
            raise
        wrong = {name.rpartition(".")[2]: why for name, why in faults(failure.fields).items()}
        return _page(trouble=message_of(failure), wrong=wrong, typed=form), status_of(failure)
    flash(_("Saved. Months are looked at by it as soon as something comes in."))
    return redirect(url_for("fairness_rules.overview"), 303)
