"""What resolvers are told about where they are. Paths are made for those who ask."""

from typing import Any

from graphql.execution.executor import default_type_resolver
from graphql.pyutils import Path, gather_with_cancel
from graphql.pyutils.is_awaitable import is_awaitable
from graphql.type import GraphQLResolveInfoHelpers

from execution.run.values import rebuilt

__all__ = ["ResolveInfo", "default_type_resolver", "path_of", "shapes"]


def _track(_: Any) -> None:
    """Awaitables that nobody waits for any more are none of ours: each is awaited."""


_HELPERS = GraphQLResolveInfoHelpers(gather=lambda values: gather_with_cancel(*values), track=_track)


class ResolveInfo:
    """graphql-core's GraphQLResolveInfo, attribute by attribute, with Strawberry's `operation_extensions`."""

    __slots__ = ("_batch", "_field", "_place", "_run")

    is_awaitable = staticmethod(is_awaitable)
    abort_signal = None
    async_helpers = _HELPERS
    operation_extensions: Any = None

    def __init__(self, run: Any, field: Any, batch: Any, place: int) -> None:
        self._run = run
        self._field = field
        self._batch = batch
        self._place = place

    @property
    def context(self) -> Any:
        return self._run.context

    @property
    def field_name(self) -> str:
        return str(self._field.name)

    @property
    def field_nodes(self) -> Any:
        return self._field.nodes

    @property
    def return_type(self) -> Any:
        return self._field.type

    @property
    def parent_type(self) -> Any:
        return self._field.parent_type

    @property
    def path(self) -> Path:
        return Path(path_of(self._batch, self._place), self._field.key, self._field.parent_type.name)

    @property
    def schema(self) -> Any:
        return self._run.plan.schema

    @property
    def fragments(self) -> Any:
        return self._run.plan.fragment_definitions

    @property
    def root_value(self) -> Any:
        return self._run.root_value

    @property
    def operation(self) -> Any:
        return self._run.plan.operation

    @property
    def variable_values(self) -> dict[str, Any]:
        return dict(self._run.variables.coerced)


def path_of(batch: Any, place: int) -> Path | None:
    """The path of an object: where it is among all that its field led to, and so back to the root. Of shared objects, one of the paths."""
    if batch.source is None:
        return None
    known, field = batch.source
    above = known()
    assert above is not None, "the batches of an operation live as long as it runs"
    children = above.children[field]
    if children.where is not None:
        place = next(at for at, each in enumerate(children.where) if type(each) is tuple and each[0] is batch and each[1] == place)
    for number, shape in enumerate(shapes(above, field)):
        keys = _find(shape, place)
        if keys is not None:
            path = Path(path_of(above, number), field.key, field.parent_type.name)
            for key in keys:
                path = path.add_key(key, None)
            return path
    raise LookupError("an object that no parent leads to")


def shapes(batch: Any, field: Any) -> list[Any]:
    """A field's values with each object's place among the children in its stead."""
    children = batch.children[field]
    if children.shared is not None:
        return [children.shared.get(id(each), each) for each in batch.values[field]]
    return rebuilt(batch.values[field], field.lists, iter(range(len(children.objects))))


def _find(shape: Any, place: int) -> list[int] | None:
    if shape == place and type(shape) is int:
        return []
    if type(shape) is list:
        for key, each in enumerate(shape):
            found = _find(each, place)
            if found is not None:
                return [key, *found]
    return None
