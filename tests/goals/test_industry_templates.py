"""Industry templates of a company's own: out, in, replaced, taken out, and every mistake named."""

import random
import re
from pathlib import Path

import grpc
from foothold.goals.v1 import (
    industries_pb2,
    values_pb2,
)

from chassis.errors import from_rpc_error
from services.goals.domain.industries import Industry
from services.goals.industry_files import shipped
from services.goals.wire.industry_documents import read_document
from services.goals.wire.industry_writing import write_document
from tests.goals.adopting import (
    CARS,
    OUTCOME,
    STANDING,
    adopt,
    adoption,
    choice,
    get,
    import_template,
    refused,
    renamed,
)
from tests.goals.enterprise import Enterprise, count, fact, fresh, rate, yuan
from tests.goals.library import CONDITIONS, define, definition, wait_for


def test_what_a_branch_is_asked_for_goes_out_and_comes_in_as_a_template(goals: Enterprise) -> None:
    administrator = goals.as_("administrator")
    adopt(administrator, choice("test_drive_rate", "MONTH", rate(9, 20)), choice("deals_won", "MONTH"))
    for name in ("showroom_customers", "test_drive_customers"):
        wait_for(administrator, name)
    export = industries_pb2.ExportTemplateRequest(
        node_id="shanghai",
        job_role="sales",
        template_id="our-cars",
        titles={"zh-CN": "我们的 4S 店", "en": "Our dealership"},
    )
    told = administrator.industries.ExportTemplate(export)
    assert told.file_name == "our-cars.toml"
    stored = import_template(administrator, told.document)
    assert (stored.id, stored.own, stored.version, stored.author_id) == (
        *("our-cars", True, 1),
        "administrator",
    )
    found = get(goals.as_("li"), "our-cars")
    assert {each.metric: each.value for each in found.kpis} == {
        "test_drive_rate": rate(9, 20),
        "deals_won": count(4),
    }
    assert all(each.standing != STANDING.STANDING_CONFLICT for each in found.metrics)
    listed = administrator.industries.ListIndustries(industries_pb2.ListIndustriesRequest(own_only=True))
    assert [each.id for each in listed.industries] == ["our-cars"]
    first = administrator.industries.ListIndustries(industries_pb2.ListIndustriesRequest()).industries[0]
    assert first.id == "our-cars"
    # Another branch adopts it.
    results = adopt(
        administrator,
        choice("test_drive_rate", "MONTH"),
        industry_id="our-cars",
        node_id="beijing",
    )
    assert [each.outcome for each in results] == [OUTCOME.OUTCOME_SET]


def test_a_template_is_replaced_from_the_version_read_taken_out_and_put_back(goals: Enterprise) -> None:
    administrator = goals.as_("administrator")
    document = write_document(renamed(shipped()[CARS], "our-cars"))
    import_template(administrator, document)
    changed = document.replace("Car dealership", "Our cars")
    import_request = industries_pb2.ImportTemplateRequest(request_id=fresh("r"), document=changed)
    assert refused(administrator.industries.ImportTemplate, import_request).reason == "ETAG_MISMATCH"
    assert import_template(administrator, changed, replaces=1).version == 2
    removal = industries_pb2.RemoveTemplateRequest(request_id=fresh("r"), industry_id="our-cars")
    administrator.industries.RemoveTemplate(removal)
    assert refused(
        administrator.industries.GetIndustry, industries_pb2.GetIndustryRequest(industry_id="our-cars")
    ).reason == ("INDUSTRY_UNKNOWN")
    back = industries_pb2.RestoreTemplateRequest(request_id=fresh("r"), industry_id="our-cars")
    assert administrator.industries.RestoreTemplate(back).industry.titles["en"] == "Our cars"
    gone = industries_pb2.RemoveTemplateRequest(request_id=fresh("r"), industry_id=CARS)
    assert refused(administrator.industries.RemoveTemplate, gone).reason == "INDUSTRY_UNKNOWN"


def test_every_place_that_is_wrong_in_a_document_is_named(goals: Enterprise) -> None:
    administrator = goals.as_("administrator")
    good = write_document(renamed(shipped()[CARS], "our-cars"))
    before = goals.rows()
    for old, new, place in (
        ('id = "our-cars"', 'id = "car-dealership"', "document.id"),
        ('id = "our-cars"', 'id = "Our Cars"', "document.id"),
        ('id = "our-cars"', "", "document.id"),
        ("id = ", "id = = ", "document"),
        ('unit = "rate"', 'unit = "kilos"', "document.metrics[test_drive_rate].unit"),
        ('"showroom_customers"]', '"nothing"]', "document.metrics[test_drive_rate].denominators"),
        ('kinds = ["deal_won"]', "kinds = []", "document.metrics[financed_deals].fact_kinds"),
        ('value = "50 %"', 'value = "150 %"', "document.kpis[3].value"),
        ('value = "50 %"', 'value = "half"', "document.kpis[3].value"),
        ('value = "50 %"', "value = 50", "document.kpis[3].value"),
        ('value = "30"', 'value = "30 %"', "document.kpis[1].value"),
        ('metric = "close_rate"', 'metric = "closing"', "document.kpis[4].metric"),
        ('period = "week"', 'period = "fortnight"', "document.kpis[1].period"),
        ('basis = "sample"', 'basis = "source"', "document.kpis[1].source"),
        ('basis = "sample"', 'basis = "sample"\nsource = "a study"', "document.kpis[1].basis"),
        ('basis = "sample"', 'basis = "sample"\nyear = 2024', "document.kpis[1].source"),
        ('en = "Order"', 'english = "Order"', "document.stages[5].title.en"),
        ("[[stages]]", "[[steps]]", "document.steps"),
    ):
        assert old in good
        asked = industries_pb2.ImportTemplateRequest(
            request_id=fresh("r"),
            document=good.replace(old, new, 1) if old != "[[stages]]" else good.replace(old, new),
        )
        failure = refused(administrator.industries.ImportTemplate, asked)
        assert (failure.reason, place in failure.fields) == ("TEMPLATE_INVALID", True), (new, failure)
    for document in ("", "x" * 300_000, "a = " + "[" * 50_000, "a = 1e999", "\ufeff", "a = 2025-01-01"):
        asked = industries_pb2.ImportTemplateRequest(request_id=fresh("r"), document=document)
        assert refused(administrator.industries.ImportTemplate, asked).reason == "TEMPLATE_INVALID"
    assert goals.rows() == before


def test_checking_a_document_stores_nothing(goals: Enterprise) -> None:
    administrator = goals.as_("administrator")
    before = goals.rows()
    document = write_document(renamed(shipped()[CARS], "our-cars"))
    asked = industries_pb2.ImportTemplateRequest(document=document, validate_only=True)
    assert administrator.industries.ImportTemplate(asked).industry.kpi_count == 6
    assert goals.rows() == before


def test_amounts_of_another_currency_are_never_taken_for_ones_own(goals: Enterprise) -> None:
    administrator = goals.as_("administrator")
    foreign = write_document(renamed(shipped()["insurance-agency"], "abroad")).replace('"CNY"', '"USD"')
    import_template(administrator, foreign)
    plain = adoption(choice("first_premium", "MONTH"), industry_id="abroad")
    assert "kpis[0].value" in refused(administrator.industries.AdoptIndustry, plain).fields
    money = values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=100, denominator=1, currency="CNY")
    results = adopt(administrator, choice("first_premium", "MONTH", money), industry_id="abroad")
    assert results[0].outcome == OUTCOME.OUTCOME_SET


def test_money_and_amount_conditions_survive_a_document(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    large = definition(
        "large_orders",
        "SUM_AMOUNT",
        "ORDER",
        unit="MONEY",
        conditions=CONDITIONS(least_amount=10_050),
    )
    define(goals, large)
    money = values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=123_456, denominator=1, currency="CNY")
    hr.set_target("large_orders", money)
    goals.as_("crm").record(fact("ORDER", amount=yuan(100, 50)), fact("ORDER", amount=yuan(100)))
    export = industries_pb2.ExportTemplateRequest(
        node_id="hq", job_role="sales", template_id="ours", titles={"zh-CN": "本公司", "en": "Ours"}
    )
    document = hr.industries.ExportTemplate(export).document
    assert 'least_amount = "100.50"' in document
    assert 'value = "1234.56"' in document
    import_template(hr, document)
    assert get(hr, "ours").kpis[0].value == money


def test_a_document_that_is_spoilt_anywhere_is_refused_or_sound(goals: Enterprise) -> None:
    """Cut, doubled and overwritten at random places: never an unexpected fault, and nothing is stored by a check."""
    chance = random.Random(313)
    good = write_document(renamed(shipped()[CARS], "our-cars"))
    before = goals.rows()
    for _ in range(300):
        start = chance.randrange(len(good))
        stop = min(len(good), start + chance.choice((1, 3, 40)))
        put = chance.choice(
            ("", "[", '"', "\\", "\n", "é", good[start:stop] * 2, "= {", "9" * 400, "[[kpis]]\n")
        )
        asked = industries_pb2.ImportTemplateRequest(
            document=good[:start] + put + good[stop:], validate_only=True
        )
        try:
            goals.as_("administrator").industries.ImportTemplate(asked)
        except grpc.RpcError as error:
            assert from_rpc_error(error).reason == "TEMPLATE_INVALID"  # noqa: PT017
    assert goals.rows() == before


def test_the_document_that_the_documentation_shows_is_sound() -> None:
    text = Path("docs/industries.md").read_text("utf-8")
    found = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert found
    assert isinstance(read_document(found[1]), Industry)
