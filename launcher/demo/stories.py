"""Three months of CRM history per newcomer: the same for the same anchor day, growing day by day.

One stream of chance per person is drawn day by day, so that telling the story again tomorrow tells the same
days again and adds one: the ledger knows the old ones already.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from foothold.goals.v1 import facts_pb2, values_pb2
from google.type.money_pb2 import Money

from launcher.demo.enterprise import DemoPerson

SOURCE: Final = "demo-crm"
HISTORY_DAYS: Final = 90
_SATURDAY: Final = 5
_PAUSE_BEFORE_STOPPING: Final = 17
_REVERSAL_AMOUNT: Final = 26_800_00
_TRAINING_DAYS: Final = 9
_SHARED_YUAN: Final = 16_800
_ON_TOP: Final = "SH0007"
"""The other mentor of the department, who showed the system to the customer of the shared order."""

_BRANDS: Final = (
    "云间", "禾木", "初见", "半日", "青柠", "南山", "拾光", "麦田", "小满", "白鹭", "山野", "朝露",
    "木棉", "潮汐", "松果", "知味", "一隅", "四时", "浮白", "锦里", "橙子", "暖屋", "微澜", "长安",
)  # fmt: skip
_KINDS: Final = (
    "咖啡",
    "茶饮",
    "烘焙",
    "便利店",
    "书店",
    "花艺",
    "轻食",
    "健身",
    "宠物",
    "童装",
    "眼镜",
    "面馆",
)
_AREAS: Final = {
    "beijing": ("望京", "国贸", "五道口", "亦庄", "通州", "西单"),
    "shanghai": ("静安", "徐汇", "陆家嘴", "虹桥", "杨浦", "七宝"),
    "guangzhou": ("天河", "越秀", "海珠", "番禺", "白云", "荔湾"),
    "hangzhou": ("西湖", "滨江", "拱墅", "萧山", "余杭", "上城"),
    "shenzhen": ("南山", "福田", "罗湖", "宝安", "龙岗", "龙华"),
}
_CHANNELS: Final = ("phone", "wechat", "douyin", "online", "referral", "visit")
# Product, lowest and highest price in yuan.
_PRODUCTS: Final = (
    ("门店收银", 3800, 9800),
    ("会员通", 2400, 6000),
    ("智能排班", 1800, 4500),
    ("进销存", 6800, 18_800),
)


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody works: new customers on a day (one is drawn), and of a hundred new ones how many are won, lost."""

    new: tuple[int, ...]
    won: int
    lost: int


_HABITS: Final = {
    "star": Habit((1, 2, 2, 3), 24, 15),
    "strong": Habit((1, 1, 2, 2), 18, 18),
    "steady": Habit((0, 1, 1, 2), 14, 20),
    "stuck": Habit((1, 2, 2, 2), 1, 34),
    "rising": Habit((0, 1, 1, 1), 8, 22),
    "learning": Habit((0, 0, 1, 1), 6, 15),
}
_RISEN: Final = Habit((1, 1, 2, 3), 22, 15)
_LIKE: Final = {"stopped": "steady", "threshold": "steady", "reversal": "strong"}


@dataclass
class _Teller:
    """One person's story as it goes on."""

    person: DemoPerson
    anchor: date
    zone: ZoneInfo
    chance: random.Random
    open: list[str] = field(default_factory=list)
    followed: int = 0
    won: int = 0
    lost: int = 0
    number: int = 0
    mark: str = ""

    def fact(self, day: date, kind: facts_pb2.FactKind.ValueType, **fields: Any) -> facts_pb2.Fact:
        self.number += 1
        moment = time(9 + self.chance.randrange(9), self.chance.randrange(60))
        fact = facts_pb2.Fact(
            source=SOURCE,
            external_id=f"{self.person.number}-{day:%Y%m%d}-{self.mark}{self.number:04d}",
            kind=kind,
            employee_number=self.person.number,
            **fields,
        )
        fact.occurred_at.FromDatetime(datetime.combine(day, moment, self.zone).astimezone(UTC))
        return fact

    def customer(self) -> str:
        area = self.chance.choice(_AREAS[self.person.branch])
        return f"{self.chance.choice(_BRANDS)}{self.chance.choice(_KINDS)}·{area}{self.followed + 1}"

    def follow_new(self, day: date) -> facts_pb2.Fact:
        customer = self.customer()
        self.followed += 1
        self.open.append(customer)
        return self.follow(day, customer)

    def follow(self, day: date, customer: str) -> facts_pb2.Fact:
        channel = self.chance.choice(_CHANNELS)
        return self.fact(day, facts_pb2.FACT_KIND_FOLLOW_UP, customer=customer, channel=channel)

    def win(self, day: date, amount: int | None = None) -> facts_pb2.Fact:
        self.won += 1
        product, low, high = self.chance.choice(_PRODUCTS)
        yuan = self.chance.randrange(low, high, 50)
        units = yuan if amount is None else amount // 100
        return self.fact(
            day,
            facts_pb2.FACT_KIND_DEAL_WON,
            customer=self.open.pop(0),
            product=product,
            amount=Money(currency_code="CNY", units=units),
        )

    def lose(self, day: date) -> facts_pb2.Fact:
        self.lost += 1
        return self.fact(day, facts_pb2.FACT_KIND_DEAL_LOST, customer=self.open.pop(0))

    def around(self, day: date) -> Iterator[facts_pb2.Fact]:
        """What fills a working day besides customers won and lost."""
        for _ in range(self.chance.randrange(3)):
            yield self.fact(day, facts_pb2.FACT_KIND_EMAIL)
        if self.chance.randrange(4) == 0:
            yield self.fact(day, facts_pb2.FACT_KIND_MEETING)
        minutes = 15 * self.chance.randrange(1, 7)
        yield self.fact(day, facts_pb2.FACT_KIND_TIME_SPENT, minutes=minutes)

    def workday(self, day: date, habit: Habit) -> Iterator[facts_pb2.Fact]:
        for _ in range(self.chance.choice(habit.new)):
            yield self.follow_new(day)
        for customer in self.chance.sample(
            self.open[-6:], min(len(self.open[-6:]), self.chance.randrange(3))
        ):
            yield self.follow(day, customer)
        if self.won * 100 < self.followed * habit.won - 100 and self.open:
            yield self.win(day)
        if self.lost * 100 < self.followed * habit.lost - 100 and self.open:
            yield self.lose(day)
        yield from self.around(day)


def story_of(person: DemoPerson, *, anchor: date, until: datetime, zone: ZoneInfo) -> list[facts_pb2.Fact]:
    """What happened to one newcomer up to `until`, oldest day first. `anchor` is the day of the first seeding."""
    chance = random.Random(f"foothold {person.number} {anchor.isoformat()}")  # noqa: S311  a story, not a secret
    teller = _Teller(person, anchor, zone, chance)
    start = anchor - timedelta(days=min(person.hired, HISTORY_DAYS))
    last = until.astimezone(zone).date()
    facts: list[facts_pb2.Fact] = []
    exact = _exact_month(person, anchor)
    for offset in range((last - start).days + 1):
        day = start + timedelta(days=offset)
        if day in exact:
            facts.extend(_exact_day(teller, day, exact))
        elif day.weekday() < _SATURDAY and not _exact_pause(person, day, anchor):
            habit = _habit(person, day, start=start, anchor=anchor)
            if habit:
                facts.extend(teller.workday(day, habit))
    if person.story == "reversal":
        # Its own stream of chance and its own ids: the days before and after stay as they are.
        chance = random.Random(f"foothold {person.number} reversal")  # noqa: S311  as above
        facts.extend(_taken_back(_Teller(person, anchor, zone, chance, mark="r"), start))
    if person.story == "star":
        chance = random.Random(f"foothold {person.number} shared")  # noqa: S311  as above
        facts.append(_shared(_Teller(person, anchor, zone, chance, mark="s")))
    return [fact for fact in facts if fact.occurred_at.ToDatetime(UTC) <= until]


def _habit(person: DemoPerson, day: date, *, start: date, anchor: date) -> Habit | None:
    story = person.story
    if story == "new" and day <= anchor:
        return None
    if story == "stopped" and day > anchor - timedelta(days=_PAUSE_BEFORE_STOPPING):
        return None
    if story == "learning" and day < start + timedelta(days=_TRAINING_DAYS):
        return None
    if story == "rising" and day > anchor - timedelta(days=person.hired * 2 // 5):
        return _RISEN
    return _HABITS[_LIKE.get(story, "learning" if story == "new" else story)]


def _exact_month(person: DemoPerson, anchor: date) -> list[date]:
    """The days on which the one exactly at the threshold works in the anchor's month, before the anchor day."""
    if person.story != "threshold":
        return []
    first = anchor.replace(day=1)
    days = [first + timedelta(days=each) for each in range((anchor - first).days)]
    return [day for day in days if day.weekday() < _SATURDAY] or [anchor]


def _exact_pause(person: DemoPerson, day: date, anchor: date) -> bool:
    return person.story == "threshold" and anchor.replace(day=1) <= day <= anchor


def _exact_day(teller: _Teller, day: date, days: list[date]) -> Iterator[facts_pb2.Fact]:
    """Ten customers to each deal, spread over `days`: 10 % to the last digit when they are over."""
    if day == days[0]:
        # Earlier customers are not followed again this month: each would be one below the line.
        teller.open.clear()
    tens = 2 if len(days) >= 10 else 1  # noqa: PLR2004  two weeks of work
    place = days.index(day)
    customers = 10 * tens * (place + 1) // len(days) - 10 * tens * place // len(days)
    deals = tens * (place + 1) // len(days) - tens * place // len(days)
    for _ in range(customers):
        yield teller.follow_new(day)
    for _ in range(deals):
        yield teller.win(day)
    yield from teller.around(day)


def _taken_back(teller: _Teller, start: date) -> Iterator[facts_pb2.Fact]:
    """A big deal shortly before the anchor day that the customer takes back the next day."""
    won = teller.anchor - timedelta(days=2)
    if won <= start:
        return
    customer = f"长安连锁超市·{_AREAS[teller.person.branch][0]}"
    teller.open.insert(0, customer)
    yield teller.follow(won - timedelta(days=1), customer)
    deal = teller.win(won, _REVERSAL_AMOUNT)
    yield deal
    yield teller.fact(
        won + timedelta(days=1),
        facts_pb2.FACT_KIND_DEAL_REVERSED,
        reverses=deal.external_id,
        attributes={"reason": "客户总部改用统一系统"},
    )


def _shared(teller: _Teller) -> facts_pb2.Fact:
    """An order on the day before the anchor that the mentor had a part in, and somebody else an overlay credit of."""
    person = teller.person
    return teller.fact(
        teller.anchor - timedelta(days=1),
        facts_pb2.FACT_KIND_ORDER,
        customer=f"白鹭便利店·{_AREAS[person.branch][0]}",
        product="进销存",
        amount=Money(currency_code="CNY", units=_SHARED_YUAN),
        credits=[
            facts_pb2.Credit(employee_number=number, share=_percent(part), overlay=number == _ON_TOP)
            for number, part in ((person.number, 60), (person.mentor, 40), (_ON_TOP, 50))
        ],
    )


def _percent(part: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=part, denominator=100)
