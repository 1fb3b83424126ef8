"""How parsing and rendering fail."""

from __future__ import annotations

from awf.domain.problems import Position


class TemplateFailure(Exception):
    """Rendering failed. ``message`` is what people see, with the place: ``template: inputs.nmae is not defined (did
    you mean inputs.name?) (flow.yaml:7:15)``."""

    def __init__(self, detail: str, position: Position) -> None:
        self.message = f"template: {detail} ({position})"
        self.position = position
        super().__init__(self.message)


class SyntaxFault(Exception):
    """The source cannot be parsed; ``offset`` says where, in characters from its start."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Refused(Exception):
    """A value does not suit what is to be done with it, or a limit is reached. Becomes a TemplateFailure where the
    place is known."""


class Absent(Exception):
    """``index`` found nothing under its ``position``-th key: in a condition that is just false."""

    def __init__(self, container: object, position: int) -> None:
        super().__init__("not defined")
        self.container = container
        self.position = position
