"""Types of values that execution/ passes on without looking inside: each says whose they are.

They are `Any`, since schemas and resolvers decide what they are; everything else in execution/ has a real type.
"""

from typing import Any, TypeAlias

__all__ = ["ArgumentValue", "JSONData", "LoaderKey", "RequestContext", "Source", "StrawberryField"]

# An object that a resolver returned, or any other value of a field before it is completed; also None, a list, a FieldError in its place.
Source: TypeAlias = Any
# What a request carries for its resolvers; its class belongs to the application. Loader fields use its attribute `loaders`.
RequestContext: TypeAlias = Any
# The value of an argument or a variable: as the client sent it, or coerced by the schema.
ArgumentValue: TypeAlias = Any
# What a loader is asked for: any hashable value of a row's attribute.
LoaderKey: TypeAlias = Any
# A completed value: what orjson encodes, fragments of JSON included.
JSONData: TypeAlias = Any
# Strawberry's description of a field. What is read of it is not all public, and the descriptor that a declaration returns stands for any type.
StrawberryField: TypeAlias = Any
