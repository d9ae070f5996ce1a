"""The demo enterprise's accounts that are offered to whoever tries the platform."""

import json
from typing import Final, NamedTuple

PASSWORD: Final = "jiaota-shidi"  # noqa: S105  printed on the sign-in page; for demonstrations only
"""The password of every demo account (脚踏实地: with one's feet on the ground)."""


class Account(NamedTuple):
    """An account and what it shows."""

    login: str
    name: str
    role: str


ACCOUNTS: Final = (
    Account("zhou.yutong", "周雨桐", "新人 · 上海，领先"),
    Account("lin.zihan", "林子涵", "新人 · 杭州，刚好达标"),
    Account("sun.haoran", "孙浩然", "新人 · 北京，跟进多、成单少"),
    Account("he.siqi", "何思琪", "新人 · 深圳，刚入职"),
    Account("xu.jianguo", "徐建国", "师傅 · 上海"),
    Account("tang.wei", "唐薇", "部门经理 · 上海销售一部"),
    Account("jiang.lan", "江岚", "培训师 · 总部"),
    Account("pan.li", "潘莉", "分公司人事 · 上海"),
    Account("gu.wenjing", "顾文静", "总部人事"),
    Account("admin", "罗志远", "管理员"),
)


def demo_values() -> dict[str, str]:
    """Settings of a platform that shows the demo enterprise."""
    offered = [{**account._asdict(), "password": PASSWORD} for account in ACCOUNTS]
    # Seventy passwords are hashed at once and all are public: the price that guards real ones is not needed.
    return {"DEMO_ACCOUNTS": json.dumps(offered, ensure_ascii=False), "DEMO_PASSWORDS": "true"}
