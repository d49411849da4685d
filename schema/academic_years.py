"""The school, its academic years, semesters and holidays."""

from datetime import date, datetime, time
from enum import Enum

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from resolvers import academic_years
from schema.connections import connection, root_connection
from schema.listings.academic_years import ACADEMIC_YEARS, HOLIDAYS, PERIODS, SEMESTERS
from schema.listings.assessments import ASSESSMENTS
from schema.listings.classes import CLASS_SUBJECTS, CLASSES
from schema.nodes import Node, node, root_node
from schema.references import to_one
from schema.roots import root

__all__ = ["AcademicYear", "CalendarQueries", "Holiday", "MissingPolicy", "Period", "RoundingMode", "School", "Semester"]


@strawberry.enum(description="How a value between two is rounded.")
class RoundingMode(Enum):
    HALF_UP = strawberry.enum_value("HALF_UP", description="To the nearest; a half goes up.")
    HALF_EVEN = strawberry.enum_value("HALF_EVEN", description="To the nearest; a half goes to the even one.")
    HALF_DOWN = strawberry.enum_value("HALF_DOWN", description="To the nearest; a half goes down.")
    UP = strawberry.enum_value("UP", description="Always up.")
    DOWN = strawberry.enum_value("DOWN", description="Always down.")


@strawberry.enum(description="What a missing grade counts as.")
class MissingPolicy(Enum):
    ZERO_AFTER_DUE = strawberry.enum_value(
        "ZERO_AFTER_DUE", description="Zero once the day of the assessment is over; left out until then."
    )
    ZERO = strawberry.enum_value("ZERO", description="Zero.")
    LEFT_OUT = strawberry.enum_value("LEFT_OUT", description="Nothing: it is left out.")


@node(academic_years.School, academic_years.school_by_id)
@strawberry.type(description="The school and its settings.")
class School(Node):
    name: str = strawberry.field(description="The school's name.")
    time_zone: str = strawberry.field(description="IANA name of the time zone in which days begin, and things fall due or are late.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency that charges are in unless they say otherwise.")
    full_day_minutes: int = strawberry.field(description="From how many minutes of presence a day counts as a whole day.")
    school_days: list[int] = strawberry.field(description="The days of the week with school: 1 is Monday, 7 Sunday.")
    rounding_mode: RoundingMode = strawberry.field(description="How an average is rounded, once, before its letter is looked up.")
    rounding_decimals: int = strawberry.field(description="To how many decimals an average is rounded.")
    missing_counts_as: MissingPolicy = strawberry.field(description="What a missing grade counts as.")
    shows_rank: bool = strawberry.field(description="Whether reports say a student's rank in the class.")
    today: date = strawberry.field(description="What day it is where the school is.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")


@node(academic_years.AcademicYear, academic_years.academic_year_by_id)
@strawberry.type(description="A school year. No two overlap.")
class AcademicYear(Node):
    name: str = strawberry.field(description="What people call it, such as 2026/27.")
    start_date: date = strawberry.field(description="The first day.")
    end_date: date = strawberry.field(description="The last day.")
    is_current: bool = strawberry.field(description="Whether it is the current one; at most one is.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    semesters = connection(SEMESTERS, "academic_year", description="Its semesters, latest first.")
    holidays = connection(HOLIDAYS, "academic_year", description="Its days without school.")
    classes = connection(CLASSES, "academic_year", description="Its classes.")


@node(academic_years.Semester, academic_years.semester_by_id)
@strawberry.type(description="A part of an academic year. No two overlap.")
class Semester(Node):
    name: str = strawberry.field(description="What people call it.")
    start_date: date = strawberry.field(description="The first day.")
    end_date: date = strawberry.field(description="The last day.")
    is_current: bool = strawberry.field(description="Whether it is a current one.")
    posting_opens_at: datetime | None = strawberry.field(description="From when final grades may be posted; null: not set.")
    posting_closes_at: datetime | None = strawberry.field(description="From when grades are locked; null: not set.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The year it is part of.")
    class_subjects = connection(CLASS_SUBJECTS, "semester", description="Who teaches what in which class in it.")
    assessments = connection(ASSESSMENTS, "semester", count_cost=200, description="The assessments in it that you may see.")


@node(academic_years.Holiday, academic_years.holiday_by_id)
@strawberry.type(description="Days without school.")
class Holiday(Node):
    name: str = strawberry.field(description="What people call it.")
    start_date: date = strawberry.field(description="The first day.")
    end_date: date = strawberry.field(description="The last day.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The year it is in.")


@node(academic_years.Period, academic_years.period_by_id)
@strawberry.type(description="A period of a school day. No two overlap.")
class Period(Node):
    name: str = strawberry.field(description="What people call it.")
    start_time: time = strawberry.field(description="When it begins, where the school is.")
    end_time: time = strawberry.field(description="When it ends, where the school is.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")


@strawberry.type
class CalendarQueries:
    academic_year = root_node(AcademicYear, description="The academic year with this id.")
    semester = root_node(Semester, description="The semester with this id.")
    academic_years = root_connection(ACADEMIC_YEARS, Capability.SIGNED_IN, description="The academic years, latest first.")
    semesters = root_connection(SEMESTERS, Capability.SIGNED_IN, description="The semesters, latest first.")

    periods = root_connection(PERIODS, Capability.SIGNED_IN, description="The periods of a school day, by when they begin.")

    @root(Capability.SIGNED_IN, description="The school and its settings; null before it is set up.")
    async def school(self, info: Info) -> School | None:
        return await academic_years.school(info.context)  # type: ignore[return-value]  # rows stand for types
