"""What pages show of coaching: steps and tasks, as the services tell them, for those who may see them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from foothold.goals.v1 import coaching_pb2

from services.gateway.clients import ask
from services.gateway.me import me
from services.gateway.parts import clients

MOST: Final = 500
STATE: Final = coaching_pb2.CoachingTaskState
NOT_CLOSED: Final = (STATE.COACHING_TASK_STATE_OPEN, STATE.COACHING_TASK_STATE_ANSWERED)
CLOSED: Final = (STATE.COACHING_TASK_STATE_DONE, STATE.COACHING_TASK_STATE_WITHDRAWN)
_PAST_SHOWN: Final = 10


class Coaching(NamedTuple):
    """Somebody's situations, and their tasks: those that are open, and the last ones that were."""

    steps: Sequence[coaching_pb2.SuggestedStep]
    tasks: Sequence[coaching_pb2.CoachingTask]
    past: Sequence[coaching_pb2.CoachingTask]


def steps_of(people: Sequence[str]) -> dict[str, list[coaching_pb2.SuggestedStep]]:
    """What each is in, the most urgent first."""
    if not people:
        return {}
    asked = coaching_pb2.SuggestStepsRequest(person_ids=people[:MOST])
    answer = ask(clients().coaching.SuggestSteps, asked)
    return {each.person_id: list(each.steps) for each in answer.people}


def first_step(steps: Sequence[coaching_pb2.SuggestedStep]) -> coaching_pb2.SuggestedStep | None:
    """The one with a late task, else the most urgent that somebody can act on."""
    late = next((each for each in steps if each.task.late), None)
    return late or next((each for each in steps if each.HasField("task") or each.HasField("rule")), None)


def coaching_of(person_id: str) -> Coaching:
    """All of one person. Failure from goals when they are not the caller's to see."""
    return Coaching(
        steps_of([person_id]).get(person_id, []),
        tasks_of(person_id, NOT_CLOSED, MOST),
        tasks_of(person_id, CLOSED, _PAST_SHOWN),
    )


def tasks_of(
    person_id: str, states: Sequence[coaching_pb2.CoachingTaskState.ValueType], size: int
) -> list[coaching_pb2.CoachingTask]:
    """A person's tasks in these states, those due first before the others."""
    asked = coaching_pb2.ListTasksRequest(person_id=person_id, states=states, page_size=size)
    return list(ask(clients().coaching.ListTasks, asked).tasks)


def may_coach(person_id: str) -> bool:
    """Whether the reader may open and close the person's tasks."""
    return me().covers("goals.coaching.write", person_id)
