"""What every form that gives a command sends along."""

from flask import request

from chassis.ids import new_id


def request_id() -> str:
    """The form's own id, which makes sending it twice one."""
    return request.form.get("request_id", "")[:64] or new_id()
