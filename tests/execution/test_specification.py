"""Tests the examples of the GraphQL specification's section on execution (October 2021 and later), with the results that it shows."""

import orjson
import pytest
from graphql import build_schema, parse, validate

from execution.breadth_first import BreadthFirst
from execution.documents.document_cache import Document
from execution.operations import Operation, graphql_core

SCHEMA = build_schema("""
    type Query {
      birthday: Date  address: Address  entity: Entity  me: Person  hero: Hero  strict: Strict  dogs: [Dog!]  grid: [[Int!]]!  holes: [Int]
      pets: [Pet]  findDog(byName: String): Dog  must: Int!
    }
    type Mutation { changeBirthday(birthday: String): Changed  changeAddress(address: String): Changed }
    type Changed { birthday: Date  address: String  month: Int }
    type Date { month: Int  day: Int }
    type Address { street: String  city: String }
    type Entity { name: String  id: ID }
    type Person { firstName: String  lastName: String  friends: [Person!] }
    type Hero { name: String  friends: [Friend]  strictFriends: [Friend!] }
    type Friend { id: ID  name: String! }
    type Strict { inner: Inner! }
    type Inner { value: Int! }
    interface Pet { name: String! }
    type Dog implements Pet { name: String!  barks: Boolean }
    type Cat implements Pet { name: String!  meows: Boolean }
""")
SCHEMA.type_map["Dog"].is_type_of = lambda value, info: "barks" in value
SCHEMA.type_map["Cat"].is_type_of = lambda value, info: "meows" in value


async def _later(value):
    return value


class _Raises:
    """Represents a value that raises when it is resolved."""

    def __init__(self, message):
        self._message = message

    def __call__(self, *_, **__):
        raise RuntimeError(self._message)


ROOT = {
    "birthday": {"month": 3, "day": 14},
    "address": {"street": "Main", "city": "Springfield"},
    "entity": {"name": "E", "id": 7},
    "me": lambda info: _later({"firstName": "A", "lastName": "B", "friends": [{"firstName": "C"}, {"firstName": "D", "lastName": "E"}]}),
    "hero": {
        "name": "R2-D2",
        "friends": [{"id": "1000", "name": "Luke"}, {"id": "1002", "name": _Raises("Name for character with ID 1002 could not be fetched.")}, {"id": "1003", "name": "Leia"}],
        "strictFriends": [{"id": "1000", "name": "Luke"}, {"id": "1002", "name": _Raises("could not be fetched")}],
    },
    "strict": {"inner": {"value": None}},
    "dogs": [{"name": "Rex", "barks": True}, {"name": "Fido", "barks": False}],
    "grid": lambda info: [[1, 2], [3, None], None, []],
    "holes": [1, None, RuntimeError("no")],
    "pets": [{"name": "Rex", "barks": True}, {"name": "Tom", "meows": True}, {"name": "?"}, None],
    "findDog": lambda info, **given: {"name": given.get("byName", "Rex"), "barks": True},
    "must": None,
    "changeBirthday": lambda info, birthday=None: _later({"month": 1, "birthday": {"month": 1}}),
    "changeAddress": lambda info, address=None: _later({"address": address}),
}  # fmt: skip


def _resolvers(type_):
    """Lets root fields read ROOT, whatever the root value is."""

    def resolver(name):
        def resolve(_, info, **arguments):
            value = ROOT[name]
            return value(info, **arguments) if callable(value) else value

        return resolve

    for name, field in type_.fields.items():
        field.resolve = resolver(name)


_resolvers(SCHEMA.query_type)
_resolvers(SCHEMA.mutation_type)


async def run(execute, text, variables):
    document = parse(text)
    assert not validate(SCHEMA, document)
    node = document.definitions[0]
    result = await execute(Operation(Document(document, (node,), introspects=False, tokens=0), node, variables, None))
    if isinstance(result, bytes):
        return orjson.loads(result)["data"], []
    return result.data, [(each.message, each.path) for each in result.errors or ()]


@pytest.mark.parametrize(
    ("text", "variables", "data", "errors"),
    [
        ("{ birthday { month } address { street } }", {}, {"birthday": {"month": 3}, "address": {"street": "Main"}}, []),
        ("{ me { firstName } me { lastName } }", {}, {"me": {"firstName": "A", "lastName": "B"}}, []),
        ("{ a: entity { id } ...F b: entity { name } } fragment F on Query { a: entity { name } }", {}, {"a": {"id": "7", "name": "E"}, "b": {"name": "E"}}, []),
        ("query ($x: Boolean!) { birthday { day @include(if: $x) month @skip(if: $x) } }", {"x": True}, {"birthday": {"day": 14}}, []),
        ("{ me { friends { firstName lastName } } }", {}, {"me": {"friends": [{"firstName": "C", "lastName": None}, {"firstName": "D", "lastName": "E"}]}}, []),
        ('mutation { changeBirthday(birthday: "x") { month } changeAddress(address: "y") { address } }', {}, {"changeBirthday": {"month": 1}, "changeAddress": {"address": "y"}}, []),
        ("{ hero { name friends { id name } } }", {}, {"hero": {"name": "R2-D2", "friends": [{"id": "1000", "name": "Luke"}, None, {"id": "1003", "name": "Leia"}]}}, [("Name for character with ID 1002 could not be fetched.", ["hero", "friends", 1, "name"])]),
        ("{ hero { name strictFriends { name } } }", {}, {"hero": {"name": "R2-D2", "strictFriends": None}}, [("could not be fetched", ["hero", "strictFriends", 1, "name"])]),
        ("{ strict { inner { value } } birthday { day } }", {}, {"strict": None, "birthday": {"day": 14}}, [("Cannot return null for non-nullable field Inner.value.", ["strict", "inner", "value"])]),
        ("{ grid }", {}, {"grid": [[1, 2], None, None, []]}, [("Cannot return null for non-nullable field Query.grid.", ["grid", 1, 1])]),
        ("{ holes }", {}, {"holes": [1, None, None]}, [("no", ["holes", 2])]),
        ("{ pets { __typename name ... on Dog { barks } ... on Cat { meows } } }", {}, {"pets": [{"__typename": "Dog", "name": "Rex", "barks": True}, {"__typename": "Cat", "name": "Tom", "meows": True}, None, None]}, None),
        ("{ dogs { n: name __typename } }", {}, {"dogs": [{"n": "Rex", "__typename": "Dog"}, {"n": "Fido", "__typename": "Dog"}]}, []),
        ("query ($n: String) { findDog(byName: $n) { name } }", {}, {"findDog": {"name": "Rex"}}, []),
        ('query ($n: String = "Spot") { findDog(byName: $n) { name } }', {}, {"findDog": {"name": "Spot"}}, []),
        ("query ($n: String) { findDog(byName: $n) { name } }", {"n": 5}, None, None),
        ("{ birthday { day } must }", {}, None, [("Cannot return null for non-nullable field Query.must.", ["must"])]),
    ],
)  # fmt: skip
async def test_an_example_has_the_answer_of_the_specification(text, variables, data, errors):
    core = graphql_core(SCHEMA)
    execute = BreadthFirst(SCHEMA, core)
    answer = await run(execute, text, variables)
    assert answer == await run(core, text, variables)
    assert answer[0] == data
    if errors is not None:
        assert answer[1] == errors
    assert not execute.fallbacks
