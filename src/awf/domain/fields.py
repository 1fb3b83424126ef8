"""Reading the keys of one map: each as the type it must have, everything wrong collected, nothing raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from awf.domain.duration import parse_duration
from awf.domain.expressions import Expression, parse_expression
from awf.domain.findings import Findings
from awf.domain.keys import Keys
from awf.domain.nodes import Entry, ListNode, MapNode, Node, ScalarNode, kind_of
from awf.domain.problems import Position, ProblemError
from awf.domain.templates import Template, parse_template

WRONG_TYPE = "WORKFLOW.PARSE.WRONG_TYPE"
INVALID_VALUE = "WORKFLOW.PARSE.INVALID_VALUE"
MISSING_FIELD = "WORKFLOW.PARSE.MISSING_FIELD"
UNKNOWN_KEY = "WORKFLOW.PARSE.UNKNOWN_KEY"
NO_WAY_ON = "WORKFLOW.VALIDATION.NO_WAY_ON"

_YES = frozenset({"true", "yes", "on"})
_NO = frozenset({"false", "no", "off"})


class Fields:
    """``subject`` begins every message: ``"state 'x': "``, or nothing. What is missing is reported at ``place``."""

    def __init__(self, node: MapNode, place: Position, subject: str, findings: Findings) -> None:
        self.node = node
        self.place = place
        self.subject = subject
        self.findings = findings

    def check_keys(self, keys: Keys) -> None:
        """Report every key of the map that will not be performed."""
        for name, entry in self.node.entries.items():
            if name in keys.read:
                continue
            if name in keys.inert:
                instead = keys.inert[name]
                text = f"key '{name}' has no effect here" + (f": {instead}" if instead else "")
                self.warn(entry.key, UNKNOWN_KEY, text)
            else:
                suggest = self.findings.did_you_mean
                hint = suggest(name, keys.read) or suggest(name, keys.inert)
                self.warn(entry.key, UNKNOWN_KEY, f"unknown key '{name}'{hint}")

    def nested(self, key: str, keys: Keys, wanted: str = "a map") -> Fields | None:
        """The keys of a map under ``key``, checked; messages about them name the key."""
        node = self.value(key)
        if node is None:
            return None
        if not isinstance(node, MapNode):
            self.mismatch(node, f"'{key}'", wanted)
            return None
        return self.inner(node, key, keys)

    def inner(self, node: MapNode, name: str, keys: Keys) -> Fields:
        """The keys of a map inside this one, checked; messages about them begin with its name."""
        inner = Fields(node, node.position, f"{self.subject}{name}: ", self.findings)
        inner.check_keys(keys)
        return inner

    def error(self, position: Position, code: str, message: str) -> None:
        self.findings.error(position, code, self.subject + message)

    def warn(self, position: Position, code: str, message: str) -> None:
        self.findings.warn(position, code, self.subject + message)

    def invalid(self, node: Node, message: str) -> None:
        self.error(node.position, INVALID_VALUE, message)

    def entry(self, key: str) -> Entry | None:
        """The entry of ``key`` where it has a value."""
        entry = self.node.entries.get(key)
        if entry is None or (isinstance(entry.value, ScalarNode) and entry.value.value is None):
            return None
        return entry

    def given(self, key: str) -> bool:
        """Whether ``key`` has a value, and not an empty text."""
        node = self.value(key)
        return node is not None and not (isinstance(node, ScalarNode) and not node.text.strip())

    def value(self, key: str) -> Node | None:
        entry = self.node.entries.get(key)
        if entry is None:
            return None
        node = entry.value
        return None if isinstance(node, ScalarNode) and node.value is None else node

    def require(self, key: str) -> bool:
        """Whether ``key`` has a value; its absence is reported."""
        if self.entry(key) is not None:
            return True
        place = self.node.entries[key].key if key in self.node.entries else self.place
        self.error(place, MISSING_FIELD, f"required key '{key}' is missing")
        return False

    def mismatch(self, node: Node, what: str, wanted: str) -> None:
        self.error(node.position, WRONG_TYPE, f"{what} must be {wanted}, not {kind_of(node)}")

    def scalar(self, key: str, wanted: str = "a string") -> ScalarNode | None:
        node = self.value(key)
        return None if node is None else self.as_scalar(node, key, wanted)

    def as_scalar(self, node: Node, name: str, wanted: str = "a string") -> ScalarNode | None:
        """The node if it is a scalar of text that a process can be given."""
        if not isinstance(node, ScalarNode) or node.value is None:
            self.mismatch(node, f"'{name}'", wanted)
        elif "\0" in node.text:
            self.invalid(node, f"'{name}' holds a NUL character")
        else:
            return node
        return None

    def text(self, key: str) -> str:
        """The text as written (``1.10`` stays ``1.10``); empty where absent."""
        node = self.scalar(key)
        return node.text if node else ""

    def texts(self, key: str) -> tuple[str, ...]:
        found = [
            self.as_scalar(node, key, "a list of strings") for node in self.items(key, "a list of strings")
        ]
        return tuple(node.text for node in found if node)

    def items(self, key: str, wanted: str = "a list") -> list[Node]:
        node = self.value(key)
        if node is None or isinstance(node, ListNode):
            return node.items if node else []
        self.mismatch(node, f"'{key}'", wanted)
        return []

    def boolean(self, key: str) -> bool | None:
        """``yes``, ``no``, ``on``, ``off`` count too: older files have them."""
        node = self.value(key)
        if node is None:
            return None
        word = node.text.lower() if isinstance(node, ScalarNode) else ""
        if word in _YES or word in _NO:
            return word in _YES
        self.mismatch(node, f"'{key}'", "true or false")
        return None

    def integer(self, key: str, low: int, high: int) -> int | None:
        node = self.scalar(key, "a whole number")
        if node is None:
            return None
        if not isinstance(node.value, int) or isinstance(node.value, bool):
            self.mismatch(node, f"'{key}'", "a whole number")
        elif not low <= node.value <= high:
            self.invalid(node, f"'{key}' must be from {low} to {high}, not {node.text}")
        else:
            return node.value
        return None

    def number(self, key: str) -> int | float | None:
        node = self.scalar(key, "a number")
        if node is None:
            return None
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return node.value
        self.mismatch(node, f"'{key}'", "a number")
        return None

    def choice(self, key: str, choices: Iterable[str], refusal: Callable[[str], str]) -> str | None:
        """One of ``choices`` in any case, as the choice spells it; None where absent, empty, or none of them."""
        node = self.scalar(key)
        if node is None or not node.text:
            return None
        names = {name.casefold(): name for name in choices}
        found = names.get(node.text.casefold())
        if found is None:
            self.invalid(node, refusal(node.text) + self.findings.did_you_mean(node.text, names.values()))
        return found

    def template(self, key: str) -> Template | None:
        node = self.scalar(key)
        return self.parsed_template(node) if node else None

    def parsed_template(self, node: ScalarNode) -> Template | None:
        try:
            return parse_template(node.text, node.content, node.indent)
        except ProblemError as error:
            self.syntax(error)
        return None

    def expression(self, key: str) -> Expression | None:
        node = self.scalar(key, "an expression")
        return self.parsed_expression(node) if node else None

    def parsed_expression(self, node: ScalarNode) -> Expression | None:
        try:
            return parse_expression(node.text, node.content, node.indent)
        except ProblemError as error:
            self.syntax(error)
        return None

    def syntax(self, error: ProblemError) -> None:
        """Report what a template's or an expression's parser refused."""
        problem = error.problem
        self.error(problem.position, problem.code, problem.message)

    def duration(self, key: str) -> float | Template | None:
        """Seconds, or a template that renders to a duration. Zero means none."""
        node = self.scalar(key, "a duration")
        if node is None:
            return None
        if "{{" in node.text:
            return self.parsed_template(node)
        return self._seconds(node, key) or None

    def seconds(self, key: str) -> float:
        """A duration in seconds, 0 where absent."""
        node = self.scalar(key, "a duration")
        return self._seconds(node, key) if node else 0.0

    def _seconds(self, node: ScalarNode, key: str) -> float:
        if not node.text:
            return 0.0
        try:
            return parse_duration(node.text)
        except ValueError as error:
            self.invalid(node, f"'{key}': {error}")
        return 0.0
