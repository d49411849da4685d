"""Generates random operations that are valid for a schema: aliases, merged fields, fragments of every kind, directives, variables."""

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)


class Maker:
    """Generates one operation: its text, and values for its variables."""

    def __init__(self, schema, random, *, depth=4, mutation=False):
        self._schema = schema
        self._random = random
        self._depth = depth
        self._root = schema.mutation_type if mutation else schema.query_type
        self._keyword = "mutation" if mutation else "query"
        self._fragments = {}
        self._variables = {}
        self.values = {}

    def make(self):
        body = self._selection(self._root, self._depth)
        declared = ", ".join(f"${name}: {kind}" for name, kind in self._variables.items())
        head = f"{self._keyword} Made({declared})" if declared else f"{self._keyword} Made"
        return "\n".join([f"{head} {body}", *self._fragments.values()])

    def _selection(self, kind, depth):
        wanted = self._random.randint(1, 5)
        parts = [self._part(kind, depth) for _ in range(wanted)]
        parts = [each for each in parts if each]
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def _part(self, kind, depth):
        chance = self._random.random()
        if chance < 0.08:
            return self._alias() + "__typename"
        if chance < 0.22 and depth > 0:
            condition = self._condition(kind)
            on = f" on {condition}" if condition != kind or self._random.random() < 0.5 else ""
            return f"...{on}{self._directives()} {self._selection(condition, depth - 1)}"
        if chance < 0.34 and depth > 0:
            return f"...{self._fragment(kind, depth)}{self._directives()}"
        return self._field(kind, depth)

    def _field(self, kind, depth):
        if isinstance(kind, GraphQLUnionType):
            return "__typename"
        fields = list(kind.fields.items())
        if depth <= 0:
            fields = [(name, each) for name, each in fields if not is_composite_type(get_named_type(each.type))]
        if not fields:
            return "__typename"
        name, field = self._random.choice(fields)
        named = get_named_type(field.type)
        below = f" {self._selection(named, depth - 1)}" if is_composite_type(named) else ""
        return f"{self._alias()}{name}{self._arguments(field)}{self._directives()}{below}"

    def _alias(self):
        return f"{self._random.choice('abcdefgh')}{self._random.randrange(40)}: " if self._random.random() < 0.35 else ""

    def _condition(self, kind):
        if isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
            return self._random.choice([kind, *self._schema.get_possible_types(kind)])
        if isinstance(kind, GraphQLObjectType) and kind.interfaces and self._random.random() < 0.4:
            return kind.interfaces[0]
        return kind

    def _fragment(self, kind, depth):
        condition = self._condition(kind)
        known = [name for name in self._fragments if name.startswith(f"F{condition}") and self._fragments[name]]
        if known and self._random.random() < 0.5:
            return self._random.choice(known)
        name = f"F{condition}{len(self._fragments)}"
        self._fragments[name] = ""
        self._fragments[name] = f"fragment {name} on {condition} {self._selection(condition, depth - 1)}"
        return name

    def _directives(self):
        if self._random.random() > 0.15:
            return ""
        name = self._random.choice(["skip", "include"])
        likely = name == "include" if self._random.random() < 0.7 else name == "skip"
        if self._random.random() < 0.5:
            return f" @{name}(if: {str(likely).lower()})"
        return f" @{name}(if: ${self._variable('Boolean!', likely)})"

    def _variable(self, kind, value):
        name = f"v{len(self._variables)}"
        self._variables[name] = kind
        self.values[name] = value
        return name

    def _arguments(self, field):
        given = []
        for name, argument in field.args.items():
            optional = argument.default is not None or not isinstance(argument.type, GraphQLNonNull)
            if optional and self._random.random() < 0.5:
                continue
            literal, value = self._value(argument.type, 2)
            if self._random.random() < 0.5:
                given.append(f"{name}: {literal}")
            elif optional and self._random.random() < 0.3:
                # The variable is declared but has no value, so the argument's default applies.
                variable = self._variable(str(argument.type).removesuffix("!"), None)
                del self.values[variable]
                given.append(f"{name}: ${variable}")
            else:
                given.append(f"{name}: ${self._variable(str(argument.type), value)}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, kind, depth):
        """Returns a value of an input type, as a literal and as JSON."""
        if isinstance(kind, GraphQLNonNull):
            return self._value_of(kind.of_type, depth)
        if self._random.random() < 0.15:
            return "null", None
        return self._value_of(kind, depth)

    def _value_of(self, kind, depth):
        random = self._random
        if isinstance(kind, GraphQLList):
            items = [self._value(kind.of_type, depth) for _ in range(random.randrange(3))]
            return "[" + ", ".join(each for each, _ in items) + "]", [each for _, each in items]
        if isinstance(kind, GraphQLEnumType):
            name = random.choice(list(kind.values))
            return name, name
        if isinstance(kind, GraphQLInputObjectType):
            given = {
                name: self._value(each.type, depth - 1)
                for name, each in kind.fields.items()
                if random.random() < 0.6 and (depth > 0 or not isinstance(get_named_type(each.type), GraphQLInputObjectType))
            }
            literal = "{" + ", ".join(f"{name}: {each}" for name, (each, _) in given.items()) + "}"
            return literal, {name: each for name, (_, each) in given.items()}
        if kind.name == "Int":
            number = random.randrange(-1, 24)
            return str(number), number
        if kind.name == "Boolean":
            truth = random.random() < 0.5
            return str(truth).lower(), truth
        return '"Place"', "Place"
