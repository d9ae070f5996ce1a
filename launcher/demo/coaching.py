"""The demo's coaching tasks: one that waits, one that is answered, one due on the day of the seeding."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from foothold.goals.v1 import coaching_pb2, coaching_pb2_grpc
from google.type.date_pb2 import Date

from launcher.demo.acting import acting
from launcher.demo.enterprise import enterprise
from launcher.reaching import Reached

_MANAGER: Final = "tang.wei"


class _Task(NamedTuple):
    """For whom, in how many days it is due, and what they have answered."""

    login: str
    days: int
    answer: str = ""


_TASKS: Final = (
    _Task("zhou.yutong", 3),
    _Task("chen.moran", 2, "想好了，明天讲「先问预算再报价」，上周两单都是这么成的。"),
    # What is due has to lie ahead when it is asked for: nothing can be late on the first day.
    _Task("wu.zhiqiang", 0),
)


def coach(reached: Reached, today: date) -> int:
    """Open them as the manager would, from what is suggested for each; how many."""
    opened = 0
    for told in _TASKS:
        with acting(reached, _MANAGER) as own:
            stub = coaching_pb2_grpc.CoachingServiceStub(own.channel("goals"))
            task = _open(stub, told, today)
        opened += task is not None
        if task is not None and told.answer:
            with acting(reached, told.login) as own:
                coaching_pb2_grpc.CoachingServiceStub(own.channel("goals")).AnswerTask(
                    coaching_pb2.AnswerTaskRequest(
                        request_id=f"demo-answer-{told.login}".replace(".", "-"),
                        task_id=task.id,
                        answer=told.answer,
                    )
                )
    return opened


def _open(
    stub: coaching_pb2_grpc.CoachingServiceStub, told: _Task, today: date
) -> coaching_pb2.CoachingTask | None:
    """None where nothing is suggested for them today."""
    person_id = next(each.id for each in enterprise().newcomers if each.login == told.login)
    asked = coaching_pb2.SuggestStepsRequest(person_ids=[person_id])
    steps = stub.SuggestSteps(asked).people[0].steps
    step = next((each for each in steps if each.HasField("rule")), None)
    if step is None:
        return None
    due = today + timedelta(days=told.days)
    task = coaching_pb2.CoachingTask(
        person_id=person_id,
        situation=step.situation,
        metric=step.metric,
        text=step.rule.step_zh,
        due_day=Date(year=due.year, month=due.month, day=due.day),
    )
    request_id = f"demo-task-{told.login}".replace(".", "-")
    return stub.OpenTask(coaching_pb2.OpenTaskRequest(request_id=request_id, task=task)).task
