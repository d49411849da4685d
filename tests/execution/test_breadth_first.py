"""Tests the breadth-first executor: what it loads together, what it leaves to graphql-core, and in which order mutations run."""

import orjson
import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from execution.breadth_first import BreadthFirst
from execution.documents.document_cache import Document
from execution.operations import Operation
from execution.plan.plans import OperationAnalysis, Planner
from execution.plan.variables import Variables
from tests.execution.faulty_data import World
from tests.execution.test_differential import WAITING


async def nobody(operation):
    pytest.fail("this operation is ours")


def ours(fallback=nobody):
    return BreadthFirst(WAITING, fallback)


async def ask(text, world=None, execute=None, **variables):
    document = parse(text)
    node = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    made = Operation(Document(document, (node,), introspects=False, tokens=0), node, variables, world or World(1, 0))
    result = await (execute or ours())(made)
    return orjson.loads(result)["data"] if isinstance(result, bytes) else result


async def test_each_edge_is_one_batch_for_all_parents_of_a_depth():
    world = World(3, 0)
    await ask("{ named(numbers: [0, 3, 6, 9, 12]) { ... on Person { places { name } } } }", world)
    places = [keys for name, keys in world.batches if name == "places"]
    assert len(places) == 1
    assert len(set(places[0])) == len(places[0])


async def test_two_fields_of_one_loader_are_one_batch():
    world = World(3, 0)
    await ask("{ somebody { friend { id } boss { id } } }", world)
    assert sum(name == "people" for name, _ in world.batches) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ __schema { queryType { name } } }", "introspection"),
        ('{ ...on Query { __type(name: "Person") { name } } }', "introspection"),
        ("{ version @whatever }", "directive"),
        ("query @whatever { version }", "directive"),
        ("{ ...F @defer } fragment F on Query { version }", "directive"),
        ("subscription { version }", "subscription"),
    ],
)
async def test_what_it_leaves_to_graphql_core_is_a_short_list_and_counted(text, reason):
    async def fallback(operation):
        return b'{"data":"elsewhere"}'

    execute = ours(fallback)
    assert await ask(text, execute=execute) == "elsewhere"
    assert execute.fallbacks == {reason: 1}


async def test_mutations_run_one_after_the_other_with_all_that_is_selected_of_them():
    world = World(5, 0)
    data = await ask("mutation { a: firstOf(number: 1) { boss { id } } b: firstOf(number: 2) { id } }", world)
    assert list(data) == ["a", "b"]
    assert [name for name, _ in world.batches] == ["mutation", "people", "mutation"]


async def test_a_mutation_that_must_not_be_null_and_is_ends_the_operation():
    class Empty(World):
        def answer(self, kind, key, arguments=None):
            return None

    world = Empty(5, 0)
    result = await ask("mutation { a: firstOf(number: 1) { id } b: must(number: 2) { id } c: firstOf(number: 3) { id } }", world)
    assert result.data is None
    assert [each.path for each in result.errors] == [["b"]]
    assert [what for _, what in world.batches] == [1, 2]


def document_of(text):
    node = parse(text)
    return Document(node, tuple(node.definitions), introspects=False, tokens=0)


def plan_of(plans, document, **conditions):
    from graphql.execution.values import get_variable_values

    node = document.operations[0]
    analysis = plans.analyse(document, node)
    variables = get_variable_values(WAITING, node.variable_definitions or (), conditions)
    plan = plans.find(analysis, variables)
    if plan is None:
        plan = plans.make(analysis, variables)
        plans.keep(document, analysis, plan)
    return plan


def test_a_plan_is_made_once_for_each_set_of_conditions():
    plans = Planner(WAITING)
    document = document_of("query ($a: Boolean!, $n: Int) { version @skip(if: $a) person(number: $n) { id } }")
    first = plan_of(plans, document, a=True, n=1)
    assert plan_of(plans, document, a=True, n=2) is first
    assert plan_of(plans, document, a=False, n=1) is not first
    assert [each.key for each in first.root.fields] == ["person"]
    assert first.conditions.coerced == {"a": True}, "no other variable of the request that made it is kept"


def test_the_plans_of_a_document_are_bounded_and_counted_in_its_size():
    plans = Planner(WAITING)
    names = [f"c{number}" for number in range(5)]
    declared = " ".join(f"${each}: Boolean!" for each in names)
    document = document_of(f"query ({declared}) {{ person {{ id }} {' '.join(f'{each}: version @skip(if: ${each})' for each in names)} }}")
    sizes = []
    for number in range(32):
        conditions = {each: bool(number >> place & 1) for place, each in enumerate(names)}
        assert plan_of(plans, document, **conditions) is plan_of(plans, document, **conditions)
        sizes.append(document.size)
    analysis = plans.analyse(document, document.operations[0])
    assert len(analysis.plans) == 8
    assert sizes[0] < sizes[7]
    assert max(sizes[8:]) < 2 * sizes[7]


def test_fragments_are_looked_into_for_what_conditions_depend_on():
    document = parse("query ($a: Boolean!) { ...F } fragment F on Query { version @include(if: $a) }")
    operation = document.definitions[0]
    variables = Variables(build_schema("type Query { version: String }"), operation, hide_suggestions=True)
    assert OperationAnalysis(document, operation, variables).condition_variables == ("a",)
