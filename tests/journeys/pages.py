"""Every page there is: as whom, at what address and in which state it is looked at.

`tests/journeys/test_every_page.py` holds these rows against the gateway's routes, both ways: a route fails that has
neither a row nor a page it is a part of nor a reason, and so does a row whose visit did not open its route.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from playwright.sync_api import Page

NOBODY: Final = ""
FIRST_DAY, NO_ROLE, NO_PLAN = "first day", "no role", "no plan"
"""People made for the look at them: hired just now; without any role; of a job role that nothing is set for."""


class Visit(NamedTuple):
    """One look.

    `/team > .person h2 a` is what the first such link of /team leads to, or the dialog it opens; an empty path stays on
    the page of the visit before. `then` does what brings the page into the state that is looked at.
    """

    name: str
    endpoint: str
    """The route that answers; empty for an address that is no route."""
    path: str
    then: Callable[[Page], None] | None = None
    status: int = 200


# What people do on a page.


def _send(page: Page, button: str) -> None:
    """Send a form past the browser's own checks, as an old browser or a program would, and wait for the answer."""
    page.evaluate("document.querySelectorAll('form').forEach(each => { each.noValidate = true; })")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator(button).first.click()
    page.wait_for_load_state("load")


def _sending(button: str, **typed: str) -> Callable[[Page], None]:
    """Fill fields in by their names, then send."""

    def do(page: Page) -> None:
        for name, text in typed.items():
            page.fill(f"main [name={name}] >> nth=0", text)
        _send(page, button)

    return do


def _tried(page: Page) -> None:
    """Try a plan, and wait for what comes of it."""
    page.click("#try .primary")
    page.wait_for_selector("#people", timeout=60_000)


def _looking_first(page: Page) -> None:
    """Choose two KPIs and ask what would come of adopting them."""
    for number in (1, 4):
        page.check(f"[name=kpi] >> nth={number}")
    page.fill("[name=reason]", "新开展厅")
    _send(page, "[value=look]")


def _by_its_address(link: str) -> Callable[[Page], None]:
    """Open what a door leads to as a page of its own, as in a new tab."""

    def do(page: Page) -> None:
        page.goto(str(page.locator(link).first.get_attribute("href")))

    return do


def _old_form(page: Page) -> None:
    page.evaluate("document.querySelectorAll('[name=csrf_token]').forEach(each => { each.value = 'old'; })")
    _send(page, ".languages button")


def _read_all(page: Page) -> None:
    while page.locator(".lesson form .primary").count():
        page.click(".lesson form .primary")
        page.wait_for_load_state("load")


def _open_everything(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true; })")


def _tiers(page: Page) -> None:
    """A plan of two tiers with a cliff between them, checked before it is saved."""
    page.fill("[name=name]", "阶梯奖")
    page.fill("[name=reason]", "试点")
    page.fill("[name=rule-0-label]", "成单率阶梯")
    page.select_option("[name=rule-0-kind]", "tiers")
    page.select_option("[name=rule-0-metric]", "close_rate")
    page.fill("[name=rule-0-tiers]", "0 0\n10 1000\n15 2000")
    _send(page, "[value=check]:not(.unseen)")


def _looked_at(page: Page) -> None:
    """The preview beside the definition has come."""
    page.wait_for_selector(".looked-at .hero, .looked-at .trouble")


def _ratio(page: Page) -> None:
    page.select_option("[name=aggregation]", "ratio")
    page.select_option("[name=numerator]", "revenue")
    with page.expect_response("**/metrics/new/preview"):
        page.select_option("[name=denominator-0]", "customers_followed")
    # What the form was first looked at with is gone: revenue over customers is no percentage, and that is said.
    page.wait_for_selector(".looked-at .trouble")


def _stale(page: Page) -> None:
    """Save what was made from a version that is the newest no longer."""
    page.evaluate("document.querySelector('[name=replaces]').value = '0'")
    _sending(_SAVE, reason="再来一次")(page)


def _online_customers(page: Page) -> None:
    """A metric of one's own; the second time its next version."""
    page.goto("/metrics/online_new")
    if page.locator("#metric-form").count():
        page.fill("[name=reason]", "再看一遍")
    else:
        page.goto("/metrics/new")
        page.fill("[name=name]", "online_new")
        page.fill("[name=title_zh]", "线上新客户")
        page.fill("[name=title_en]", "New customers online")
        page.fill("[name=description]", "当期首次跟进、且来自线上或抖音的不同客户数。")
        page.select_option("[name=aggregation]", "customers")
        page.check("[name=channel][value=online]")
        page.check("[name=channel][value=douyin]")
        page.select_option("[name=customers]", "new")
        page.fill("[name=reason]", "现在主要在线上获客")
    _send(page, _SAVE)
    # Its values are computed while one looks; the page says so until they are.
    page.wait_for_selector("#metric-state .met")


def _leave_as_usual(page: Page) -> None:
    page.fill("#leave [name=reason]", "照旧")
    _send(page, "#leave .primary")


def _shifts_that_are_none(page: Page) -> None:
    page.select_option("#calendar [name=kind]", "shifts")
    page.fill("#calendar [name=pattern]", "2")
    _send(page, "#calendar .primary")


def answering(right: Mapping[str, list[str]], *, well: bool) -> Callable[[Page], None]:
    """Hand a quiz in: all right, or the first option that is wrong everywhere."""

    def do(page: Page) -> None:
        for question, options in right.items():
            values = page.locator(f"[name=q-{question}]").evaluate_all("all => all.map(each => each.value)")
            for option in options if well else [next(each for each in values if each not in options)]:
                page.check(f"[name=q-{question}][value={option}]")
        _send(page, ".quiz .primary")

    return do


def _then(*steps: Callable[[Page], None]) -> Callable[[Page], None]:
    def do(page: Page) -> None:
        for step in steps:
            step(page)
            page.wait_for_load_state("load")

    return do


def _press(button: str) -> Callable[[Page], None]:
    return lambda page: page.click(button)


def _goal_above(page: Page) -> None:
    """Follow the chain of a goal of one's own up to the one above."""
    _open_everything(page)
    page.click(".goal .chain a >> nth=0")


def _settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")


def _cutting(into: str, method: str) -> Callable[[Page], None]:
    """Show what a goal would be cut into."""

    def do(page: Page) -> None:
        page.select_option("[name=into]", into)
        page.select_option("[name=method]", method)
        _send(page, "[value=show]:not(.unseen)")

    return do


def first_day(first: Mapping[str, list[str]], second: Mapping[str, list[str]]) -> list[Visit]:
    """Everything still empty; then the first course, passed, and the second with its quiz: failed, reviewed, passed.

    `first`, `second`: the right options of their quizzes, by question.
    """
    quiz = "a[href$='/quiz']"
    return [
        Visit("today", "today.home", "/today"),
        Visit("targets", "goals.overview", "/targets"),
        Visit("customers", "customers.overview", "/customers"),
        Visit("bonus", "bonus.statement", "/bonus"),
        Visit("boards", "boards.overview", "/boards"),
        Visit("learning", "learning.path", "/learning"),
        Visit("why-nothing", "why.progress", "/today > .target .door"),
        Visit(
            "recorded",
            "customers.record",
            "/customers",
            _sending(".record .primary", customer="云间咖啡·西湖"),
        ),
        Visit("undone", "customers.undo", "", lambda page: _send(page, ".notice .link")),
        Visit("lesson", "learning.course", "/learning > .path .next h2 a"),
        Visit("quiz-opens", "learning.course", "", _read_all),
        Visit("quiz", "learning.quiz", "", _press(quiz)),
        Visit("quiz-opens-next", "learning.hand_in", "", answering(first, well=True)),
        Visit("next-lesson", "learning.course", "", _press(".answer .primary")),
        Visit(
            "quiz-failed",
            "learning.hand_in",
            "",
            _then(_read_all, _press(quiz), answering(second, well=False)),
        ),
        Visit("review", "learning.course", "", _press(".answer .primary")),
        Visit("reviewed", "learning.path", "", _read_all),
        Visit("retake", "learning.course", "/learning > .path li:has(header .edge) h2 a"),
        Visit("quiz-passed", "learning.hand_in", "", _then(_press(quiz), answering(second, well=True))),
    ]


_AGO: Final = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%dT%H:%M}"
_SAVE: Final = "#metric-form .primary"
_RETIRE: Final = "form.danger button"
_LAST_MONTH: Final = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).isoformat()
# Of the month before that nothing is with payroll.
_MONTH_BEFORE: Final = f"{date.fromisoformat(_LAST_MONTH).replace(day=1) - timedelta(days=1)}"
_DEALS: Final = f"/payouts/deals/li-jiahui?kind=month&on={_MONTH_BEFORE}"
_A_GOAL: Final = "/goals?metric=revenue > .goals .what a"
_WEAK: Final = _sending("form:has(#f-reset) button", password="1")
_NO_REASON: Final = _sending(".danger button", reason="")
_PASSWORDS: Final = {"current": "not the password", "new": "jiaota-shidi-2", "again": "jiaota-shidi-2"}
VISITS: Final[Mapping[str, list[Visit]]] = {
    NOBODY: [
        Visit("sign-in", "account.sign_in", "/sign-in"),
        Visit(
            "sign-in-wrong",
            "account.enter",
            "",
            _sending("form .primary", login="tang.wei", password="x"),
            401,
        ),
        Visit("session-over", "account.sign_in", "/team"),
    ],
    NO_ROLE: [Visit("nothing", "account.start", "/")],
    NO_PLAN: [
        Visit("today", "today.home", "/today"),
        Visit("targets", "goals.overview", "/targets"),
        Visit("bonus", "bonus.statement", "/bonus"),
        Visit("what-if", "what_if.mine", "/bonus/what-if"),
        Visit("learning", "learning.path", "/learning"),
    ],
    "zhou.yutong": [
        Visit("today", "today.home", "/today"),
        Visit("today-open", "today.home", "/today", _open_everything),
        Visit("why-target", "why.progress", "/today > .target .door"),
        Visit("why-target-page", "why.progress", "/today", _by_its_address(".target .door")),
        Visit("targets", "goals.overview", "/targets"),
        Visit("targets-then", "goals.overview", f"/targets?at={_AGO}&known=now"),
        Visit("targets-never", "goals.overview", "/targets?at=2999-01-01T00:00"),
        Visit("effort", "effort.mine", "/effort"),
        Visit("effort-week", "effort.mine", "/effort > .period a", _open_everything),
        Visit("targets-chain", "goals.overview", "/targets", _press(".goal summary")),
        Visit("goal-above", "tree.one", "/targets", _goal_above),
        Visit("objectives", "objectives.overview", "/objectives"),
        Visit("objectives-then", "objectives.overview", f"/objectives?at={_AGO}&known=now"),
        Visit("why-key-result", "why.progress", "/objectives > table .door"),
        Visit("targets-open", "goals.overview", "/targets", _open_everything),
        Visit("customers", "customers.overview", "/customers"),
        Visit("customers-wrong", "customers.record", "", _sending(".record .primary", minutes="ten"), 422),
        Visit("learning", "learning.path", "/learning"),
        Visit("course", "learning.course", "/learning > .path h2 a"),
        Visit("course-lesson", "learning.course", "", lambda page: page.click(".lessons a")),
        Visit("bonus", "bonus.statement", "/bonus"),
        Visit("bonus-earlier", "bonus.statement", "/bonus > .period a"),
        Visit("why-line", "why.line", "/bonus > table .door"),
        Visit("why-line-page", "why.line", "/bonus", _by_its_address("table .door >> nth=1")),
        Visit("disputes-none", "disputes.overview", "/disputes"),
        Visit("dispute-new", "disputes.new", "/disputes/new?rule_id=new-customers"),
        Visit("dispute-wordless", "disputes.begin", "", _sending("form .primary", words=""), 422),
        Visit("what-if", "what_if.mine", "/bonus > main a[href$=what-if]"),
        Visit(
            "what-if-tried",
            "what_if.mine",
            "/bonus/what-if?new_customers=2&deals=x&hold=close_rate&total=2000",
        ),
        Visit("boards", "boards.overview", "/boards"),
        Visit("honours-mine", "honours.mine", "/honours"),
        Visit("honour-unanswered", "honours.answer", "", _sending("#answer-1 .primary"), 422),
        Visit("why-board", "why.progress", "/boards > .board .me .door"),
        Visit("profile", "account.profile", "/profile"),
        Visit(
            "profile-wrong",
            "account.change_password",
            "",
            _sending(".card:last-child .primary", **_PASSWORDS),
            400,
        ),
        Visit("form-expired", "account.switch_language", "/profile", _old_form, 400),
        Visit("not-for-you", "team.overview", "/team", None, 403),
        Visit("no-such-course", "learning.course", "/learning/no-such-course", None, 404),
        Visit("no-such-page", "", "/no-such-page", None, 404),
        Visit("no-mentees", "team.mentees", "/mentees"),
        Visit("coaching", "coaching.mine", "/coaching/mine"),
        Visit("coaching-wrong", "coaching.answer", "", _sending(".task form button", answer=""), 400),
        Visit("second-look-none", "fairness.mine", "/fairness/mine"),
    ],
    "lin.zihan": [
        Visit("today", "today.home", "/today"),
        Visit("why-line", "why.line", "/today > .lines .door"),
    ],
    "sun.haoran": [
        Visit("today", "today.home", "/today"),
        Visit("targets", "goals.overview", "/targets"),
        Visit("learning", "learning.path", "/learning"),
        Visit("course-review-first", "learning.course", "/learning > .path li:has(header .behind) h2 a"),
    ],
    "luo.minyi": [
        Visit("second-look", "fairness.mine", "/fairness/mine"),
        Visit("second-look-one", "fairness.one", "/fairness/mine > .rows a"),
        Visit("second-look-wordless", "fairness.reply", "", _sending("#reply .primary", reply=""), 400),
        Visit("bonus-held", "bonus.statement", f"/bonus?on={_LAST_MONTH}"),
    ],
    "xu.jianguo": [
        Visit("mentees", "team.mentees", "/mentees"),
        Visit("mentee", "team.person", "/mentees > .card h2 a"),
        Visit("menu", "account.menu", "/menu"),
    ],
    "tang.wei": [
        Visit("team", "team.overview", "/team"),
        Visit("team-behind", "team.overview", "/team?status=behind"),
        Visit("team-then", "team.overview", f"/team?at={_AGO}"),
        Visit("team-nobody", "team.overview", "/team?q=nobody-is-called-this"),
        Visit("compare", "evidence.compare", "/compare"),
        Visit("compare-wrong", "evidence.compare", "/compare?before_from=x&after_until=2020-01-01"),
        Visit("person", "team.person", "/team > .person h2 a"),
        Visit("person-forecast", "team.person", "/team/zheng-xinyi", _open_everything),
        Visit("person-effort", "effort.of_person", "/team/zheng-xinyi > main a[href$=effort]"),
        Visit("person-what-if", "what_if.of_person", "/team/zheng-xinyi/what-if?deals=1&total=100000000"),
        Visit("why-of-person", "why.progress", "/team > .person .door"),
        Visit("goals", "tree.overview", "/goals", _settled),
        Visit("goals-then", "tree.overview", f"/goals?at={_AGO}&known=now", _settled),
        Visit("objectives", "objectives.overview", "/objectives"),
        Visit("objective-new", "objectives.new", "/objectives/new"),
        Visit(
            "objective-new-wrong",
            "objectives.add",
            "",
            _sending(
                ".actions .primary",
                **{"title": "跟进更多客户", "kr-0-weight": "60", "kr-0-value": "20"},
            ),
            400,
        ),
        Visit("person-stopped", "team.person", "/team?q=SH0102 > .person h2 a", _open_everything),
        Visit("coaching", "coaching.overview", "/coaching"),
        Visit("coaching-open", "coaching.overview", "/coaching", _open_everything),
        Visit("coaching-closed", "coaching.overview", "/coaching?state=closed"),
        Visit("coaching-new", "coaching.new", "/team > .step .button"),
        Visit("coaching-new-wrong", "coaching.create", "", _sending("#open-task .primary", text=""), 400),
        Visit("boards", "boards.overview", "/boards"),
    ],
    "jiang.lan": [
        Visit("courses", "courses.overview", "/courses"),
        Visit("course", "courses.edit", "/courses > .rows a"),
        Visit("course-new", "courses.new", "/courses/new"),
        Visit("course-question", "courses.save", "", lambda page: _send(page, "[value=question]")),
        Visit("course-wrong", "courses.save", "", lambda page: _send(page, "[value=save].primary"), 400),
        Visit("coverage", "courses.coverage", "/coverage"),
    ],
    "pan.li": [
        Visit("people", "people.overview", "/people"),
        Visit("standards", "standards.overview", "/standards"),
        Visit("standards-wrong", "standards.save", "", _sending("#set .primary", value="many"), 422),
        Visit("standards-history", "standards.history", "/standards > .card .rows a"),
        Visit("standards-evidence", "evidence.suggested", "/standards/evidence?metric=close_rate"),
        Visit("standards-pending", "standards.pending", "/standards/pending"),
        Visit("metrics", "metrics.overview", "/metrics"),
        Visit("metric-read", "metrics.show", "/metrics > .metrics tr:last-child a"),
        Visit("industries", "industries.overview", "/industries"),
        Visit("industry", "industries.show", "/industries/car-dealership"),
        Visit("goals", "tree.overview", "/goals", _settled),
        Visit("plans", "plans.overview", "/plans"),
    ],
    "gu.wenjing": [
        Visit("people", "people.overview", "/people"),
        Visit("people-nobody", "people.overview", "/people?q=nobody-is-called-this"),
        Visit("person", "people.edit", "/people?q=SH0105 > .rows a"),
        Visit("person-wrong", "people.change", "", _sending("form .primary", name=""), 400),
        Visit(
            "person-weak-password",
            "people.reset",
            "/people?q=SH0105 > .rows a",
            _sending("form:has(#f-reset) button", password="1"),
            400,
        ),
        Visit(
            "person-no-reason",
            "people.dismiss",
            "/people?q=SH0105 > .rows a",
            _sending(".danger button", reason=""),
            422,
        ),
        Visit("person-new", "people.new", "/people/new"),
        Visit("person-new-wrong", "people.create", "", _sending("form .primary", name="无名"), 400),
        Visit("standards", "standards.overview", "/standards"),
        Visit("standards-drift", "standards.drift", "/standards/drift"),
        Visit("standards-pending", "standards.pending", "/standards/pending"),
        Visit("industries", "industries.overview", "/industries"),
        Visit("industries-none", "industries.overview", "/industries?q=nobody-sells-this"),
        Visit(
            "industries-wrong",
            "industries.bring_in",
            "/industries",
            _sending("#import .primary", document='id = "x"\ncurrency = 1'),
            400,
        ),
        Visit(
            "industries-export-wrong", "industries.export", "/industries/own.toml?template_id=A", None, 400
        ),
        Visit("industry", "industries.show", "/industries/car-dealership"),
        Visit("industry-looked", "industries.adopt", "", _looking_first),
        Visit("industry-wrong", "industries.adopt", "", _sending("#adopt .primary", reason=""), 400),
        Visit("calendar", "calendar.overview", "/calendar?node_id=guangzhou&month=2026-10"),
        Visit("calendar-changed", "calendar.overview", "/calendar", _leave_as_usual),
        Visit("calendar-wrong", "calendar.save", "", _shifts_that_are_none, 422),
        Visit("calendar-year-unknown", "calendar.overview", "/calendar?month=2032-01"),
        Visit("calendar-year-wrong", "calendar.enter", "", _sending("#year button", off="2032-01-01"), 422),
        Visit("payouts", "payouts.overview", "/payouts"),
        Visit("payouts-closed", "payouts.overview", f"/payouts?node_id=guangzhou&on={_LAST_MONTH}"),
        Visit("payout-deals", "payout_deals.overview", _DEALS),
        Visit("payout-deal", "payout_deals.overview", f"{_DEALS} > #deals tbody a"),
        Visit(
            "payout-deal-wrong", "payout_deals.change", "", _sending("#hold-deal .primary", reason=" "), 422
        ),
        Visit("disputes", "disputes.overview", "/disputes"),
        Visit("dispute", "disputes.one", "/disputes > .lines a"),
        Visit("dispute-not-answered", "disputes.answer", "", _sending("#answer .primary", answer=""), 422),
        Visit("batches", "batches.overview", "/payouts/batches"),
        Visit("batch", "batches.one", "/payouts/batches > tbody a"),
        Visit("batch-not-paid", "batches.paid", "", _sending("#paid .primary", paid_on=""), 422),
        Visit("payouts-over", "payouts.overview", "/payouts?on=2020-01-01"),
        Visit("payouts-running", "payouts.overview", "/payouts?on=2031-01-01"),
        Visit("boards-all", "boards.overview", "/boards?node=shanghai&board=progress-month"),
        Visit(
            "boards-closed",
            "boards.overview",
            f"/boards?node=guangzhou&board=follow-ups-month&on={_LAST_MONTH}",
        ),
        Visit("honours-waiting", "boards.overview", "/boards?node=guangzhou", _open_everything),
        Visit("board-new", "boards.new", "/boards/new?metric=customers_followed&tenure_to=3"),
        Visit("board-wrong", "boards.create", "", _sending("#board-form .primary", name=" "), 422),
        Visit("plans", "plans.overview", "/plans"),
        Visit("plan-waiting", "plan_life.one", "/plans/newcomer-sales-guangzhou"),
        Visit("plan-not-rejected", "plan_life.reject", "", _sending("#reject button", reason=""), 422),
        Visit("plan-in-force", "plan_life.one", "/plans/newcomer-sales"),
        Visit("plan-numbers", "plan_numbers.overview", "/plans/newcomer-sales/numbers", _open_everything),
        Visit("plan-number-wrong", "plan_numbers.propose", "", _sending("#set .primary", value=""), 422),
        Visit("plan-new", "plans.new", "/plans/new"),
        Visit("plan-wrong", "plans.save", "", _sending("[value=save].primary", name=""), 422),
        Visit("plan-checked", "plans.save", "/plans/new", _tiers),
        Visit("simulations", "simulations.overview", "/plans/simulate"),
        Visit("simulation-wrong", "simulations.begin", "", _sending("#try .primary", months="many"), 422),
        Visit("simulation", "simulations.one", "/plans/simulate", _tried),
        Visit("check", "checking.overview", "/payouts/check"),
        Visit("checked", "checking.check", "", _sending("#check .primary")),
        Visit("goals", "tree.overview", "/goals", _settled),
        Visit("goal", "tree.one", _A_GOAL),
        Visit("goal-cut", "tree.cut", "", _press(".head .primary")),
        Visit("goal-cut-shown", "tree.apply", "", _cutting("departments", "weighted")),
        Visit("goal-cut-wrong", "tree.apply", "", _sending("[value=apply]", amount="many"), 422),
        Visit("goal-assign", "tree.assigning", _A_GOAL, _press("a[href$='/assign']")),
        Visit(
            "goal-assign-shown",
            "tree.assign",
            "",
            _then(
                lambda page: page.fill("[name=value]", "5"),
                lambda page: _send(page, "[value=show]:not(.unseen)"),
            ),
        ),
        Visit("goal-new", "tree.new", "/goals/new"),
        Visit("goal-new-wrong", "tree.add", "", _sending("form .primary", value="many"), 422),
        Visit(
            "goal-wrong",
            "tree.change",
            _A_GOAL,
            _sending("form .primary", value="x"),
            422,
        ),
        Visit(
            "goal-taken-back-wrong",
            "tree.withdraw",
            _A_GOAL,
            _then(_open_everything, _sending(".danger button")),
            422,
        ),
        Visit("objectives", "objectives.overview", "/objectives"),
        Visit("objectives-none", "objectives.overview", "/objectives?on=2020-01-01"),
        Visit("objective", "objectives.one", "/objectives > .card h2 a"),
        Visit("objective-edit", "objectives.edit", "", _press(".head .primary")),
        Visit("objective-row", "objectives.change", "", lambda page: _send(page, "[value=add]")),
        Visit("objective-wrong", "objectives.change", "", _sending(".actions .primary"), 422),
        Visit(
            "objective-taken-back-wrong",
            "objectives.withdraw",
            "/objectives > .card h2 a",
            _sending(".danger button"),
            422,
        ),
        Visit("team", "team.overview", "/team"),
        Visit("fairness", "fairness.overview", "/fairness"),
        Visit("fairness-all", "fairness.overview", "/fairness?state=all"),
        Visit("fairness-one", "fairness.one", "/fairness > .rows a"),
        Visit("fairness-not-answered", "fairness.answer", "", _sending("#answer .primary", reason=""), 400),
        Visit("fairness-rules", "fairness_rules.overview", "/fairness/rules"),
        Visit("fairness-rule", "fairness_rules.overview", "/fairness/rules?kind=5"),
        Visit("fairness-looked", "fairness_rules.set_rule", "", _sending("#set [value=look]")),
        Visit(
            "fairness-rule-wrong",
            "fairness_rules.set_rule",
            "",
            _sending("#set .primary", most="0", reason=""),
            400,
        ),
        Visit("coaching-rules", "coaching_rules.overview", "/coaching/rules"),
        Visit("coaching-rule", "coaching_rules.overview", "/coaching/rules > .rows .button"),
        Visit(
            "coaching-rule-wrong", "coaching_rules.set_rule", "", _sending("#set .primary", step_zh=""), 400
        ),
        Visit("plan-to-approve", "plan_life.one", "/plans/newcomer-sales-guangzhou"),
        Visit("organisation", "admin.organisation", "/organisation"),
    ],
    "admin": [
        Visit("organisation", "admin.organisation", "/organisation"),
        Visit(
            "organisation-open",
            "admin.organisation",
            "/organisation",
            lambda page: page.click(".tree summary >> nth=1"),
        ),
        Visit("access", "admin.bindings", "/access"),
        Visit("access-nobody", "admin.bindings", "/access?subject=nobody"),
        Visit("integrations", "admin.integrations", "/integrations"),
        Visit("integrations-token", "admin.issue", "", lambda page: _send(page, ".rows form button")),
        Visit("running", "admin.running", "/running"),
        Visit("running-checked", "admin.check", "", lambda page: _send(page, "#running form button")),
        Visit("metrics", "metrics.overview", "/metrics"),
        Visit("metrics-nothing", "metrics.overview", "/metrics?q=nothing-is-called-this"),
        Visit("metric-built-in", "metrics.show", "/metrics/close_rate"),
        Visit("metric-new", "metrics.new", "/metrics/new", _looked_at),
        Visit("metric-ratio", "metrics.new", "/metrics/new", _then(_ratio, _looked_at)),
        Visit("metric-wrong", "metrics.create", "/metrics/new", _sending(_SAVE, title_zh="线上新客户"), 422),
        Visit("metric", "metrics.show", "/metrics/new", _then(_online_customers, _looked_at)),
        Visit("metric-changed", "metrics.change", "", _stale, 409),
        Visit("metric-no-reason", "metrics.retire", "/metrics/online_new", _sending(_RETIRE, reason=""), 400),
        Visit("metrics-own", "metrics.overview", "/metrics?q=线上"),
        Visit("menu", "account.menu", "/menu"),
    ],
}


PARTS: Final[Mapping[str, str]] = {
    "today.part": "today.home",
    "bonus.lines": "bonus.statement",
    "bonus.standings": "bonus.statement",
    "goals.listed": "goals.overview",
    "learning.listed": "learning.path",
    "boards.table": "boards.overview",
    "customers.listed": "customers.overview",
    "team.figures": "team.person",
    "team.coaching": "team.person",
    "standards.allowed": "standards.overview",
    "tree.below": "tree.overview",
}
"""Routes that answer a part of a page -> the page that fetches it: what it shows is looked at there."""

NO_PAGE: Final[Mapping[str, str]] = {
    "static": "files of ours, not pages",
    "health.alive": "for the cluster, in plain text",
    "health.ready": "for the cluster, problem JSON",
    "webhooks.crm": "for programs, problem JSON",
    "team.export": "a file to download",
    "boards.export": "a file to download",
    "honours.confirm": "leads back to the board, which says what came of it",
    "honours.pass_over": "leads back to the board, which says what came of it",
    "honours.photo": "a picture, which the pages of honours show",
    "boards.end": "leads back to the board, which says what came of it",
    "boards.resume": "leads back to the board, which says what came of it",
    "coaching.export": "a file to download",
    "fairness.export": "a file to download",
    "coaching.close": "leads back to the tasks or the person; refused, it is the page of the tasks",
    "coaching_rules.withdraw_rule": "leads back to the rules, which say what came of it",
    "account.leave": "leads to the sign-in page",
    "learning.complete": "leads back to the course or the path",
    "admin.add_node": "leads back to the organisation, which says what came of it",
    "admin.change_node": "leads back to the organisation, which says what came of it",
    "admin.bind": "leads back to access, which says what came of it",
    "admin.unbind": "leads back to access, which says what came of it",
    "admin.add_account": "leads back to integrations, which says what came of it",
    "admin.disable": "leads back to integrations, which says what came of it",
    "industries.document": "a file to download",
    "industries.remove": "leads back to the library, which says what came of it",
    "industries.restore": "leads back to the template",
    "standards.end": "leads back to standards; refused, it is the page of standards.save",
    "standards.approve": "leads back to what waits; refused, it is that page",
    "standards.refuse": "leads back to what waits; refused, it is that page",
    "standards.restore": "leads back to the history, which says what came of it",
    "standards.export": "a file to download",
    "metrics.preview": "what a definition would have counted, beside the form on its pages",
    "metrics.state": "the line of a metric that says how far it is computed, while it is",
    "plan_life.acknowledged": "a file to download",
    "disputes.withdraw": "leads back to the dispute; refused, it is that page",
    "batches.as_csv": "a file to download",
    "batches.as_xlsx": "a file to download",
    "payouts.approve": "leads back to the payouts; refused, it is that page",
    "payouts.batch": "leads to the batch; refused, it is the page of payouts",
    "payouts.hold": "leads back to the payouts; refused, it is that page",
    "plan_numbers.approve": "leads back to the numbers; refused, it is the page of plan_numbers.propose",
    "plan_numbers.refuse": "leads back to the numbers; refused, it is the page of plan_numbers.propose",
    "plan_numbers.end": "leads back to the numbers; refused, it is the page of plan_numbers.propose",
    "plan_life.approve": "leads back to the plan; refused, it is that page",
    "plan_life.acknowledge": "leads back to the bonus page",
    "simulations.stop": "leads back to the simulation, which says so; refused, it is that page",
    "simulations.export": "a file to download",
    "payouts.close": "leads back to the payouts, which say what came of it",
    "calendar.remove": "leads back to the calendar, which says what came of it",
    "tree.export": "a file to download",
    "objectives.restore": "leads to the objective's page; refused, it is the page of objectives.withdraw",
    "tree.restore": "leads to the goal's page; refused, it is the page of tree.change",
}
"""Routes that nobody looks at -> why not."""
