"""`foothold metrics`: any metric, exactly."""

import csv
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from launcher import options
from launcher.exits import told

if TYPE_CHECKING:
    from foothold.goals.v1 import metrics_pb2
    from google.type.date_pb2 import Date

    from launcher.reaching import Reached

_PAGE: Final = 1_000
_DAY: Final = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option(
    "--metric", required=True, help="Its name, e.g. close_rate; an unknown one lists those there are."
)
@click.option(
    "--by",
    type=click.Choice(["person", "department", "branch", "month"]),
    default="person",
    show_default=True,
    help="One row per what.",
)
@click.option(
    "--from", "first", type=_DAY, help="First day, in each person's own zone. Default: the first fact's."
)
@click.option("--to", "end", type=_DAY, help="The day after the last. Default: open.")
@click.option("--node", default="", help="Only people at or below this unit or person (an id).")
@click.option(
    "--format", "written", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@options.reach
@told
def metrics(metric: str, by: str, written: str, **how: Any) -> None:
    """Print a metric, exactly: rates as fractions beside their percentage, money to the minor unit.

    \b
      foothold metrics --metric close_rate --by branch
      foothold metrics --metric revenue --by month --from 2026-09-01 --format csv

    Exit codes: 0 printed; 1 no such metric; 2, 3, 5 as `foothold --help` says.
    """  # noqa: D301
    from launcher.reaching import reached

    say = partial(click.echo, err=True)
    with reached(how["addresses"], how["token"], how["data"], say=say) as platform:
        rows, total = _ask(platform, metric, by, how["first"], how["end"], how["node"])
    if written == "json":
        click.echo(
            json.dumps(
                {"metric": metric, "by": by, "rows": rows, "total": total}, ensure_ascii=False, indent=2
            )
        )
    elif written == "csv":
        _print_csv(rows, total)
    else:
        _print_table(metric, by, rows, total)


def _ask(
    platform: "Reached", metric: str, by: str, first: datetime | None, end: datetime | None, node: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    import grpc
    from foothold.goals.v1 import metrics_pb2, metrics_pb2_grpc

    from chassis.errors import from_rpc_error
    from launcher.exits import Stop

    stub = metrics_pb2_grpc.MetricsServiceStub(platform.channel("goals"))
    request = metrics_pb2.QueryMetricRequest(
        metric=metric,
        group_by=metrics_pb2.GroupBy.Value(f"GROUP_BY_{by.upper()}"),
        node_id=node,
        page_size=_PAGE,
    )
    if first:
        getattr(request, "from").CopyFrom(_date(first.date()))
    if end:
        request.to.CopyFrom(_date(end.date()))
    rows: list[dict[str, Any]] = []
    total: dict[str, Any] = {}
    try:
        for page in _pages(stub, request):
            rows.extend(_row(row) for row in page.rows)
            total = total or _value(page.total)
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        if failure.reason == "METRIC_UNKNOWN":
            names = [each.name for each in stub.ListMetrics(metrics_pb2.ListMetricsRequest()).metrics]
            raise Stop(f"there is no metric {metric}; there are {', '.join(names)}") from error
        raise failure from error
    return rows, total


def _pages(
    stub: Any, request: "metrics_pb2.QueryMetricRequest"
) -> "Iterator[metrics_pb2.QueryMetricResponse]":
    while True:
        page = stub.QueryMetric(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def _date(day: date) -> "Date":
    from google.type.date_pb2 import Date

    return Date(year=day.year, month=day.month, day=day.day)


def _row(row: "metrics_pb2.MetricRow") -> dict[str, Any]:
    found = {"key": row.key, "label": row.label}
    if row.employee_number:
        found["employee_number"] = row.employee_number
    return found | _value(row.value)


def _value(value: Any) -> dict[str, Any]:
    from launcher.figures import shown

    found = {"value": shown(value), "numerator": value.numerator, "denominator": value.denominator}
    if value.currency:
        found["currency"] = value.currency
    return found


def _print_csv(rows: list[dict[str, Any]], total: dict[str, Any]) -> None:
    columns = ["key", "label", "employee_number", "value", "numerator", "denominator", "currency"]
    writer = csv.DictWriter(sys.stdout, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    writer.writerow({"key": "total"} | total)


def _print_table(metric: str, by: str, rows: list[dict[str, Any]], total: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{metric} by {by}", show_footer=True)
    table.add_column(by.capitalize(), footer="Total")
    table.add_column("Value", justify="right", footer=total["value"])
    table.add_column("Exactly", justify="right", footer=_exactly(total))
    for row in rows:
        name = (
            row["label"] if row["label"] == row["key"] or by == "month" else f"{row['label']} ({row['key']})"
        )
        table.add_row(name, row["value"], _exactly(row))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _exactly(row: dict[str, Any]) -> str:
    return f"{row['numerator']}/{row['denominator']}" if row["denominator"] != 1 else str(row["numerator"])
