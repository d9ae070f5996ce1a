"""What identity refuses, by the reason it gives (foothold.errors.v1.ErrorReason without its prefix)."""


class Refused(Exception):  # noqa: N818  a refusal is an answer
    """Not done: `reason` for machines, `message` for people, `field` the one at fault, if one is."""

    def __init__(self, reason: str, message: str, *, field: str = "") -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.field = field
