"""An operation that is about to run, and what runs it.

Operations do not go through Strawberry's `schema.execute`: it parses and validates each time, and builds a runner of extensions that this
project has none of. graphql-core's `execute` is called with Strawberry's execution context, which is what its resolvers need.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple

from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, execute

from execution.documents.document_cache import Document

__all__ = ["Execute", "Operation", "graphql_core"]


class Operation(NamedTuple):
    """One request's: valid, within the limits, allowed. `variables` are as the client sent them, `cost` is in points (documents/cost_analysis.py).

    `flow` identifies the client that it takes turns for wherever operations wait.
    """

    document: Document
    node: OperationDefinitionNode
    variables: dict[str, Any]
    context: Any
    cost: int = 0
    flow: Hashable = None


# Runs an operation. Bytes are a whole answer, `{"data": …}` in JSON; they are sent as they are.
Execute = Callable[[Operation], Awaitable[ExecutionResult | bytes]]


def graphql_core(schema: GraphQLSchema, executor_class: Any = None, is_awaitable: Any = None, *, suggest: bool = True) -> Execute:
    """graphql-core as what runs operations. `suggest`: tell clients the names that theirs resemble."""

    async def run(operation: Operation) -> ExecutionResult:
        result: Any = execute(
            schema,
            operation.document.node,
            context_value=operation.context,
            variable_values=operation.variables,
            operation_name=operation.node.name.value if operation.node.name else None,
            executor_class=executor_class,
            is_awaitable=is_awaitable,
            hide_suggestions=not suggest,
        )
        finished: ExecutionResult = result if isinstance(result, ExecutionResult) else await result
        return finished

    return run
