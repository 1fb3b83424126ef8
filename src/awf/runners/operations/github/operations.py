"""The operations ``github.*``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from awf.domain.signatures import Signature
from awf.domain.signatures.github import BATCH, GITHUB
from awf.domain.suggest import did_you_mean
from awf.runners.operations.github.client import Client
from awf.runners.operations.github.gh import Gh
from awf.runners.operations.github.rest import Rest
from awf.runners.operations.port import Operation, OperationContext, OperationFailed
from awf.runners.operations.programs import Programs
from awf.runners.operations.web import Web

PREFIX = "github."


def github_operations(web: Web, programs: Programs) -> list[Operation]:
    """All of them."""
    single = [GithubOperation(signature, web, programs) for signature in GITHUB]
    return [*single, GithubBatch({operation.signature.name: operation for operation in single})]


class GithubOperation(Struct, frozen=True):
    """See ``awf.runners.operations.port.Operation``."""

    signature: Signature
    web: Web
    programs: Programs

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        """Raises OperationFailed."""
        perform = getattr(self._client(context), self.signature.name.removeprefix(PREFIX))
        try:
            outputs: Mapping[str, Any] = await perform(inputs)
        except (KeyError, TypeError, AttributeError) as error:
            raise OperationFailed(f"GitHub's answer is not what it should be: {error!r}") from error
        return outputs

    def _client(self, context: OperationContext) -> Client:
        program = self.programs.find("gh", context)
        if program is not None:
            return Gh(program, self.programs, context)
        token = context.environ.get("GITHUB_TOKEN") or context.environ.get("GH_TOKEN")
        if not token:
            raise OperationFailed(
                "the tool 'gh' is not in PATH and GITHUB_TOKEN is not set; install gh (https://cli.github.com) and run "
                "'gh auth login', or set GITHUB_TOKEN"
            )
        return Rest(token, self.web, self.programs, context)


class _Item(Struct, frozen=True):
    operation: Operation
    inputs: Mapping[str, Any]


class GithubBatch(Struct, frozen=True):
    """``github.batch``."""

    operations: Mapping[str, Operation]
    signature: Signature = BATCH

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        """Perform all of them, so many at once, however the others end. Raises OperationFailed."""
        items, slots = self._items(inputs["operations"]), asyncio.Semaphore(inputs["concurrency"])

        async def one(item: _Item) -> dict[str, Any]:
            name = item.operation.signature.name
            try:
                async with slots:
                    outputs = await item.operation.perform(item.inputs, context)
            except OperationFailed as failure:
                return {"name": name, "success": False, "error": f"{name}: {failure.message}"}
            return {"name": name, "success": True, "outputs": dict(outputs)}

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
        results = [task.result() for task in tasks]
        return _judged(inputs["strategy"], results)

    def _items(self, given: Sequence[Any]) -> list[_Item]:
        """What to perform; nothing is, unless all of it can be. Raises OperationFailed with everything that is wrong."""
        items, errors = [], []
        for number, written in enumerate(given):
            place = f"operations[{number}]"
            item = dict(written) if isinstance(written, Mapping) else {}
            name = str(item.pop("name", None) or item.pop("operation", None) or "")
            if not name:
                errors.append(f"{place}: must be a map with the name of an operation")
                continue
            operation = self.operations.get(name) or self.operations.get(PREFIX + name)
            if operation is None:
                hint = did_you_mean(
                    name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in self.operations]
                )
                errors.append(f"{place}: '{name}' is no operation of a batch{hint}")
                continue
            inputs = item.pop("inputs", None) or {}
            bound, wrong = operation.signature.bind(
                {**item, **inputs} if isinstance(inputs, Mapping) else item
            )
            errors += [f"{place}: {error}" for error in wrong]
            items.append(_Item(operation, bound))
        if errors:
            raise OperationFailed("; ".join(errors))
        return items


def _judged(strategy: str, results: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    failures = [result for result in results if not result["success"]]
    outputs = {
        "total": len(results),
        "succeeded": len(results) - len(failures),
        "failed": len(failures),
        "results": list(results),
    }
    lost = {"all_succeed": bool(failures), "any_succeed": bool(results) and len(failures) == len(results)}
    if lost.get(strategy):
        first = "; ".join(failure["error"] for failure in failures[:3])
        raise OperationFailed(
            f"{len(failures)} of {len(results)} operations failed ({strategy}): {first}", outputs=outputs
        )
    return outputs
