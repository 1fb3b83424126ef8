"""A workflow together with those that it calls, found through the catalog and checked as one: what ``validate`` reports is
what ``run`` refuses (workflow language, "Validation" and "Sub-workflows")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from awf.domain.calls import MAX_DEPTH
from awf.domain.draft import CallSite
from awf.domain.findings import Findings
from awf.domain.packs import callees, pack_of
from awf.domain.problems import Position, Problem
from awf.domain.workflow import Workflow
from awf.engine.ports import Catalog, WorkflowFile
from awf.errors import ErrorEntry, PackNotFound, WorkflowInvalid, WorkflowNotFound

MISSING = "WORKFLOW.VALIDATION.MISSING_WORKFLOW"
INVALID = "WORKFLOW.VALIDATION.INVALID_WORKFLOW"
CIRCULAR = "WORKFLOW.VALIDATION.CIRCULAR_CALL"
MISSING_INPUT = "WORKFLOW.VALIDATION.MISSING_INPUT"
UNKNOWN_INPUT = "WORKFLOW.VALIDATION.UNKNOWN_INPUT"
UNKNOWN_OUTPUT = "WORKFLOW.VALIDATION.UNKNOWN_OUTPUT"
TOO_DEEP = "WORKFLOW.VALIDATION.CALL_DEPTH"


class Linked(Struct, frozen=True):
    """A workflow file with all those that it may call, by the identifiers that they are called by. ``problems`` are its
    own and those of its calls, in the order of the file, then the errors of the files that it calls."""

    file: WorkflowFile
    children: Mapping[str, WorkflowFile]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps it from running."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What does not."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    def runnable(self) -> Workflow:
        """The workflow. Raises WorkflowInvalid with every error."""
        workflow, errors = self.file.loaded.workflow, self.errors
        if workflow is None or errors:
            text = "; ".join(str(problem) for problem in errors)
            entries = [ErrorEntry(str(problem.position), problem.message) for problem in errors]
            raise WorkflowInvalid(f"workflow '{self.file.identifier}' is invalid: {text}", entries=entries)
        return workflow

    def workflows(self) -> dict[str, Workflow]:
        """The loaded workflows by identifier: its own, and those that it calls."""
        files = {self.file.identifier: self.file, **self.children}
        return {
            name: file.loaded.workflow for name, file in files.items() if file.loaded.workflow is not None
        }


def link(file: WorkflowFile, catalog: Catalog) -> Linked:
    """Find and check what a workflow may call, and what that may call. May read the disk.

    A sub-workflow that is not there is a warning: the call that comes to it fails, and that can be routed. One that is
    invalid, a circle, and more than ten levels are errors.
    """
    linker = _Linker(catalog, file.loaded.problems)
    linker.follow(file, (file,))
    return Linked(file, linker.children, linker.findings.in_file_order(file.file))


class _Linker:
    """Follows every chain of calls. A workflow is followed again only where it is called from further down than
    before, so that the work is bounded whatever calls what."""

    def __init__(self, catalog: Catalog, problems: tuple[Problem, ...]) -> None:
        self.children: dict[str, WorkflowFile] = {}
        self.findings = Findings()
        for problem in problems:
            self.findings.add(problem)
        self._catalog = catalog
        self._deepest: dict[tuple[str, str], int] = {}
        self._circles: set[Position] = set()

    def follow(self, file: WorkflowFile, chain: tuple[WorkflowFile, ...]) -> None:
        """What a workflow calls; ``chain`` leads to it, from the first to itself."""
        for call in file.loaded.calls:
            child = self._found(file, call)
            if child is None:
                continue
            if any(_identity(child) == _identity(above) for above in chain):
                self._tell_of_a_circle(call, (*chain, child))
            elif len(chain) > MAX_DEPTH:
                way = _way((*chain, child))
                message = f"maximum sub-workflow nesting depth exceeded (max: {MAX_DEPTH}): {way}"
                self.findings.error(call.position, TOO_DEEP, message)
            else:
                self._check(call, child)
                if self._deepest.get(_identity(child), 0) < len(chain):
                    self._deepest[_identity(child)] = len(chain)
                    self.follow(child, (*chain, child))

    def _found(self, caller: WorkflowFile, call: CallSite) -> WorkflowFile | None:
        """What a call means; None, with a warning, where there is no such workflow."""
        reason = ""
        for name in callees(caller.identifier, call.name):
            try:
                child = self._catalog.find(name)
            except PackNotFound:
                reason = f" (no pack '{name.partition('/')[0]}' is installed)"
            except WorkflowNotFound:
                continue
            else:
                self.children[name] = child
                return child
        hint = reason or self.findings.did_you_mean(call.name, self._names(caller))
        message = f"state '{call.state}': sub-workflow not found: {call.name}{hint}"
        self.findings.warn(call.position, MISSING, message)
        return None

    def _names(self, caller: WorkflowFile) -> Iterator[str]:
        """What a caller can call, for suggestions."""
        names, pack = self._catalog.identifiers(), pack_of(caller.identifier)
        yield from names
        if pack:
            yield from (name.removeprefix(f"{pack}/") for name in names if name.startswith(f"{pack}/"))

    def _check(self, call: CallSite, child: WorkflowFile) -> None:
        errors = child.loaded.errors
        if errors:
            many = f"{len(errors)} errors" if len(errors) > 1 else "1 error"
            message = f"state '{call.state}': sub-workflow '{call.name}' is invalid ({many})"
            self.findings.error(call.position, INVALID, message)
        for problem in errors:
            self.findings.add(problem)
        if child.loaded.workflow is not None:
            self._check_inputs(call, child.loaded.workflow)
            self._check_outputs(call, child.loaded.workflow)

    def _check_inputs(self, call: CallSite, child: Workflow) -> None:
        """Warnings, because only the call fails, and that can be routed."""
        subject = f"state '{call.state}': sub-workflow '{call.name}'"
        declared = {item.name for item in child.inputs}
        for name, place in call.inputs.items():
            if declared and name not in declared:
                hint = self.findings.did_you_mean(name, declared)
                self.findings.warn(place, UNKNOWN_INPUT, f"{subject} declares no input '{name}'{hint}")
        for item in child.inputs:
            if item.required and item.default is None and item.name not in call.inputs:
                message = f"{subject} requires input '{item.name}', which is not given"
                self.findings.warn(call.position, MISSING_INPUT, message)

    def _check_outputs(self, call: CallSite, child: Workflow) -> None:
        declared = {output.name for output in child.outputs}
        for name, place in call.outputs.items():
            if name not in declared:
                hint = self.findings.did_you_mean(name, declared)
                message = f"state '{call.state}': sub-workflow '{call.name}' has no output '{name}'{hint}"
                self.findings.warn(place, UNKNOWN_OUTPUT, message)

    def _tell_of_a_circle(self, call: CallSite, chain: tuple[WorkflowFile, ...]) -> None:
        """Once for every call that closes a circle, whatever led to it."""
        if call.position not in self._circles:
            self._circles.add(call.position)
            self.findings.error(call.position, CIRCULAR, f"circular workflow call detected: {_way(chain)}")


def _identity(file: WorkflowFile) -> tuple[str, str]:
    """What tells workflows apart, under whatever names they are called."""
    return file.identifier, file.file


def _way(chain: tuple[WorkflowFile, ...]) -> str:
    return " -> ".join(file.identifier for file in chain)
