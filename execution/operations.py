"""Defines an operation that is ready to be executed, and the type of its executors.

Operations do not go through Strawberry's `schema.execute`, which parses and validates each time and prepares extensions that this project does
not have. graphql-core's `execute` is called with Strawberry's execution context, which Strawberry's resolvers need.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple

from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, execute
from graphql.execution.executor import Executor

from execution.documents.document_cache import Document
from execution.opaque_types import ArgumentValue, RequestContext

__all__ = ["Execute", "Operation", "graphql_core"]


class Operation(NamedTuple):
    """One request's operation, which is valid, within the limits and allowed.

    `variables` are as the client sent them, `cost` is in points (costs.py). `flow` identifies the client: wherever operations wait, flows take
    turns.
    """

    document: Document
    node: OperationDefinitionNode
    variables: dict[str, ArgumentValue]
    context: RequestContext
    cost: int = 0
    flow: Hashable = None


# Executes an operation. Bytes are a whole response, `{"data": …}` in JSON; they are sent as they are.
Execute = Callable[[Operation], Awaitable[ExecutionResult | bytes]]


def graphql_core(
    schema: GraphQLSchema,
    executor_class: "type[Executor[Any]] | None" = None,  # graphql-core's executors take different kinds of results
    is_awaitable: Any = None,  # graphql-core wants a TypeGuard, and Strawberry's function is not declared as one
    *,
    suggest: bool = True,
) -> Execute:
    """Returns graphql-core as an executor. With `suggest`, errors suggest names like those that the client misspelt."""

    async def run(operation: Operation) -> ExecutionResult:
        result = execute(
            schema,
            operation.document.node,
            context_value=operation.context,
            variable_values=operation.variables,
            operation_name=operation.node.name.value if operation.node.name else None,
            executor_class=executor_class,
            is_awaitable=is_awaitable,
            hide_suggestions=not suggest,
        )
        return result if isinstance(result, ExecutionResult) else await result

    return run
