"""The school, its academic years, semesters, holidays and periods."""

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
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import query_fields, root

__all__ = ["AcademicYear", "CalendarQueries", "Holiday", "MissingGradePolicy", "Period", "RoundingMode", "School", "Semester"]


@strawberry.enum(description="How a value that lies between two roundable values is rounded.")
class RoundingMode(Enum):
    HALF_UP = strawberry.enum_value("HALF_UP", description="To the nearest value; halves are rounded up.")
    HALF_EVEN = strawberry.enum_value("HALF_EVEN", description="To the nearest value; halves are rounded to the even one.")
    HALF_DOWN = strawberry.enum_value("HALF_DOWN", description="To the nearest value; halves are rounded down.")
    UP = strawberry.enum_value("UP", description="Always up.")
    DOWN = strawberry.enum_value("DOWN", description="Always down.")


@strawberry.enum(description="What a missing grade counts as.")
class MissingGradePolicy(Enum):
    ZERO_AFTER_DUE = strawberry.enum_value(
        "ZERO_AFTER_DUE", description="It counts as zero once the day of the assessment is over, and is ignored until then."
    )
    ZERO = strawberry.enum_value("ZERO", description="Zero.")
    LEFT_OUT = strawberry.enum_value("LEFT_OUT", description="It is ignored.")


@node(academic_years.School, academic_years.school_by_id)
@strawberry.type(description="The school and its settings.")
class School(Node):
    name: str = strawberry.field(description="The school's name.")
    time_zone: str = strawberry.field(description="IANA name of the school's time zone. Days, due dates and lateness are determined in it.")
    currency: str = strawberry.field(description="ISO 4217 code of the default currency of charges.")
    full_day_minutes: int = strawberry.field(description="The minutes of presence from which a day counts as a full day.")
    school_days: list[int] = strawberry.field(description="The days of the week with school: 1 is Monday, 7 Sunday.")
    rounding_mode: RoundingMode = strawberry.field(description="How an average is rounded, once, before its letter is determined.")
    rounding_decimals: int = strawberry.field(description="The number of decimals to which an average is rounded.")
    missing_counts_as: MissingGradePolicy = strawberry.field(description="What a missing grade counts as.")
    shows_rank: bool = strawberry.field(description="Whether reports show a student's rank in the class.")
    today: date = strawberry.field(description="Today's date in the school's time zone.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()


@node(academic_years.AcademicYear, academic_years.academic_year_by_id)
@strawberry.type(description="An academic year. Academic years do not overlap.")
class AcademicYear(Node):
    name: str = strawberry.field(description="The display name, such as 2026/27.")
    start_date: date = strawberry.field(description="The first day.")
    end_date: date = strawberry.field(description="The last day.")
    is_current: bool = strawberry.field(description="Whether it is the current academic year; at most one is.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    semesters = connection(SEMESTERS, "academic_year", description="Its semesters, latest first.")
    holidays = connection(HOLIDAYS, "academic_year", description="Its holidays.")
    classes = connection(CLASSES, "academic_year", description="Its classes.")


@node(academic_years.Semester, academic_years.semester_by_id)
@strawberry.type(description="A semester: a part of an academic year. Semesters do not overlap.")
class Semester(Node):
    name: str = strawberry.field(description="The display name.")
    start_date: date = strawberry.field(description="The first day.")
    end_date: date = strawberry.field(description="The last day.")
    is_current: bool = strawberry.field(description="Whether it is marked as a current semester.")
    posting_opens_at: datetime | None = strawberry.field(description="When the posting of final grades opens; null if not set.")
    posting_closes_at: datetime | None = strawberry.field(
        description="When the posting of final grades closes and grades are locked; null if not set."
    )
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The academic year it belongs to.")
    class_subjects = connection(CLASS_SUBJECTS, "semester", description="The lessons of its classes: who teaches what in which class.")
    assessments = connection(ASSESSMENTS, "semester", count_cost=200, description="Its assessments, as far as you may see them.")


@node(academic_years.Holiday, academic_years.holiday_by_id)
@strawberry.type(description="One or more days without school.")
class Holiday(Node):
    name: str = strawberry.field(description="The display name.")
    start_date: date = strawberry.field(description="The first day.")
    end_date: date = strawberry.field(description="The last day.")
    version: int = version_field()
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The academic year it belongs to.")


@node(academic_years.Period, academic_years.period_by_id)
@strawberry.type(description="A period of the school day. Periods do not overlap.")
class Period(Node):
    name: str = strawberry.field(description="The display name.")
    start_time: time = strawberry.field(description="When it begins, in the school's time.")
    end_time: time = strawberry.field(description="When it ends, in the school's time.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()


@query_fields
class CalendarQueries:
    academic_year = root_node(AcademicYear, description="The academic year with this id.")
    semester = root_node(Semester, description="The semester with this id.")
    academic_years = root_connection(ACADEMIC_YEARS, Capability.SIGNED_IN, description="The academic years, latest first.")
    semesters = root_connection(SEMESTERS, Capability.SIGNED_IN, description="The semesters, latest first.")

    periods = root_connection(PERIODS, Capability.SIGNED_IN, description="The periods of a school day, earliest first.")

    @root(Capability.SIGNED_IN, description="The school and its settings; null before the school is set up.")
    async def school(self, info: Info) -> School | None:
        return await academic_years.school(info.context)  # type: ignore[return-value]  # rows stand for types
