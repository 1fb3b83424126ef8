"""Which parts of the scope a template reads, found without running it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from awf.domain.problems import Position
from awf.domain.templates import nodes
from awf.domain.templates.names import canonical

Path: TypeAlias = tuple[str, ...]


class Reference(Struct, frozen=True):
    """An access like ``inputs.name``: ``path`` is ``("inputs", "name")``, with the fields of ``workflow``, ``loop``,
    ``context`` and ``error`` in PascalCase. ``guarded``: nothing there is just false, because it stands in the
    condition of ``if`` or ``with``, or in an argument of ``and``, ``or``, ``not`` or ``default``."""

    path: Path
    position: Position
    guarded: bool


def references(tree: nodes.Tree, locate: Callable[[int], Position]) -> tuple[Reference, ...]:
    """All references of ``tree`` in the order of the source.

    Followed are both forms, ``index`` with constant keys, the dot of ``with``, and templates that are called with the
    whole scope; not variables, nor the dot of ``range``.
    """
    collector = _Collector(tree)
    collector.body(tree.main.body, dot=(), root=())
    collector.definitions()
    return tuple(
        Reference(path, locate(offset), guarded) for offset, path, guarded in sorted(collector.found)
    )


class _Collector:
    """A path of None is one that only running tells; ``root`` is the path of ``$``."""

    def __init__(self, tree: nodes.Tree) -> None:
        self._tree = tree
        self._pending: list[tuple[str, Path | None]] = []
        self.found: set[tuple[int, Path, bool]] = set()

    def definitions(self) -> None:
        """Collect from the templates called so far, those that they call, and with unknown dot from all."""
        entered: set[tuple[str, Path | None]] = set()
        self._pending += ((name, None) for name in self._tree.definitions)
        while self._pending:
            call = self._pending.pop()
            if call not in entered:
                entered.add(call)
                name, dot = call
                self.body(self._tree.definitions[name].body, dot, dot)

    def body(self, body: nodes.Body, dot: Path | None, root: Path | None) -> None:
        for node in body.nodes:
            match node:
                case nodes.Print() | nodes.Assign():
                    self._expression(node.pipeline, dot, root, guarded=False)
                case nodes.Branch():
                    for arm in node.arms:
                        self._expression(arm.pipeline, dot, root, guarded=True)
                        inner = self._path(arm.pipeline, dot, root) if node.kind == "with" else dot
                        self.body(arm.body, inner, root)
                    if node.otherwise:
                        self.body(node.otherwise, dot, root)
                case nodes.Range():
                    self._expression(node.pipeline, dot, root, guarded=False)
                    self.body(node.body, None, root)
                    if node.otherwise:
                        self.body(node.otherwise, dot, root)
                case nodes.Include():
                    if node.pipeline is not None:
                        self._expression(node.pipeline, dot, root, guarded=False)
                        # Anything but the whole scope counts as unknown, so that no recursion grows its path.
                        whole_scope = self._path(node.pipeline, dot, root) == ()
                        self._pending.append((node.name, () if whole_scope else None))

    def _expression(
        self, node: nodes.Expression, dot: Path | None, root: Path | None, *, guarded: bool
    ) -> None:
        path = self._path(node, dot, root)
        if path:
            self.found.add((node.offset, canonical(path), guarded))
            return
        match node:
            case nodes.Chain():
                self._expression(node.base, dot, root, guarded=guarded)
            case nodes.Call():
                for argument in node.arguments:
                    self._expression(argument, dot, root, guarded=guarded or node.function.soft)
            case nodes.Pipeline():
                stages = (node.first, *node.rest)
                for stage, soft in zip(stages, node.softness(guarded), strict=True):
                    self._expression(stage, dot, root, guarded=soft)

    def _path(self, node: nodes.Expression, dot: Path | None, root: Path | None) -> Path | None:
        match node:
            case nodes.Dot():
                return dot
            case nodes.Variable(slot=0):
                return root
            case nodes.WholeScope():
                return ()
            case nodes.Chain():
                base = self._path(node.base, dot, root)
                return None if base is None else base + node.names
            case nodes.Pipeline(rest=()):
                return self._path(node.first, dot, root)
            case nodes.Call() if node.function.name == "index":
                base = self._path(node.arguments[0], dot, root) if node.arguments else None
                keys = [key.value if isinstance(key, nodes.Constant) else None for key in node.arguments[1:]]
                names = tuple(key for key in keys if isinstance(key, str))
                return base + names if base is not None and len(names) == len(keys) else None
            case _:
                return None
