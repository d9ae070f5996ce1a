"""Training's feed when it has grown old: where everybody is, and every attempt."""

from foothold.training.v1 import feed_pb2

from tests.ageing import grow_old
from tests.training.conftest import Client, School
from tests.training.examples import course_message


def test_old_news_is_where_everybody_is_and_every_attempt(school: School, li: Client) -> None:
    trainer = school.as_("trainer")
    course = trainer.create(course_message("old-news"))
    course.title = "新名字"
    trainer.update(course, "title")
    li.lesson("old-news")
    li.hand_in("old-news", 7)
    grow_old(school.database, school.server)
    request = feed_pb2.ListEventsRequest(page_size=1_000, compacted=True)
    events = school.as_("administrator").feed.ListEvents(request).events
    courses = [event.course_changed.title for event in events if event.HasField("course_changed")]
    assert courses == ["新名字"]
    attempts = [each.learning_changed for each in events if each.learning_changed.HasField("attempt")]
    assert [(each.course_id, each.attempt.points) for each in attempts] == [("old-news", 70)]
