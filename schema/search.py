"""Search by name."""

from enum import Enum
from typing import Annotated

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, SIZED_BY
from resolvers import search
from schema.classes import Class
from schema.guardians import Guardian
from schema.roots import query_fields, root
from schema.students import Student
from schema.subjects import Subject
from schema.teachers import Teacher

__all__ = ["SearchQueries"]

SearchResult = Annotated[
    Student | Teacher | Guardian | Class | Subject, strawberry.union("SearchResult", description="A result of a search.")
]


@strawberry.enum(description="The types that a search can cover.")
class SearchType(Enum):
    STUDENT = strawberry.enum_value("stu", description="Students, by name or student number.")
    TEACHER = strawberry.enum_value("tea", description="Teachers, by name.")
    GUARDIAN = strawberry.enum_value("gua", description="Guardians, by name.")
    CLASS = strawberry.enum_value("cls", description="Classes, by name.")
    SUBJECT = strawberry.enum_value("sub", description="Subjects, by name or code.")


@query_fields
class SearchQueries:
    @root(
        Capability.SIGNED_IN,
        description="The objects that a text names, as far as you may see them, best match first: its whole name, number or code,"
        " the beginning of its name (first or last name first), words of its name in any order that begin with the text's words. Case, accents"
        " and punctuation are ignored.",
        metadata={SIZED_BY: "first", COST: 600},
    )
    async def search(
        self,
        info: Info,
        text: Annotated[str, strawberry.argument(description="Names or beginnings of names, 1 to 100 characters.")],
        types: Annotated[
            list[SearchType] | None, strawberry.argument(description="The types to search. Defaults to all.")
        ] = strawberry.UNSET,
        first: Annotated[int, strawberry.argument(description=f"How many results to return, at most {search.MAX_RESULTS}.")] = 10,
    ) -> list[SearchResult]:
        wanted = types or list(SearchType)
        return await search.search(info.context, text, tuple(str(each.value) for each in wanted), first)
