"""Parts of deals checked: apportioned again from what each version of a deal was told with."""

from typing import Any, Final

from sqlalchemy import Connection, text

from services.goals.domain.credits import amounts_of, deal_source, part_key
from services.goals.domain.facts import FactKind, Key
from services.goals.store.crediting import read_credits

_PAGE: Final = 5_000
# A deal comes before its parts, for they follow it in the source.
_CREDITED: Final = text("""
SELECT source, external_id, version, kind, person_id, occurred_at, customer, product, channel, amount_minor,
       attributes, voided, current, counts, credits, deal_minor, deal
FROM fact WHERE credits IS NOT NULL
ORDER BY split_part(source, '+', 1) COLLATE "C", coalesce(deal, external_id) COLLATE "C", version,
         source COLLATE "C"
""")


def check_parts(connection: Connection) -> tuple[int, int]:
    """How many deals with credits and parts there are or should be, and how many are not what they should be."""
    checked = differing = 0
    should: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    deal: tuple[Any, ...] = ()
    rows = connection.execute(_CREDITED, execution_options={"yield_per": _PAGE})
    for row in rows:
        told = (*row[5:9], row.attributes, row.voided, row.current, row.counts, row.credits, row.deal_minor)
        named = (deal_source(row.source), row.deal or row.external_id, row.version)
        if row.deal is None:
            checked, differing = checked + len(should), differing + len(should)
            deal, should = named, _parts(row, told)
            checked += 1
            differing += row.amount_minor != _own(row)
            continue
        checked += 1
        if named != deal:
            differing += 1
            continue
        wanted = should.pop((row.source, row.external_id), None)
        differing += wanted != (row.kind, row.person_id, row.amount_minor, told)
    return checked + len(should), differing + len(should)


def _own(deal: Any) -> int | None:
    """What of a deal is its owner's."""
    if deal.deal_minor is None:
        return deal.amount_minor  # type: ignore[no-any-return]  # a row's columns have no types
    given = read_credits(deal.credits)
    amounts = zip(given, amounts_of(deal.deal_minor, given), strict=True)
    return next((part for credit, part in amounts if credit.person_id == deal.person_id), deal.deal_minor)


def _parts(deal: Any, told: tuple[Any, ...]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """By key what each part of a deal should be."""
    if deal.deal_minor is None:
        return {}
    given = read_credits(deal.credits)
    key = Key(deal.source, deal.external_id)
    return {
        part_key(key, credit.person_id): (
            int(FactKind.DEAL_OVERLAY if credit.overlay else FactKind.DEAL_CREDITED),
            credit.person_id,
            amount,
            told,
        )
        for credit, amount in zip(given, amounts_of(deal.deal_minor, given), strict=True)
        if credit.person_id != deal.person_id
    }
