"""The school, its academic years, semesters, holidays and periods."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.context import Context
from resolvers.loaders import by_key, from_statement

__all__ = [
    "AcademicYear",
    "Holiday",
    "Period",
    "School",
    "Semester",
    "academic_year_by_id",
    "holiday_by_id",
    "period_by_id",
    "school",
    "school_by_id",
    "semester_by_id",
]


class School(Row):
    __slots__ = ()
    type_name = "School"
    tag = "sch"


class AcademicYear(Row):
    __slots__ = ()
    type_name = "AcademicYear"
    tag = "year"


class Semester(Row):
    __slots__ = ()
    type_name = "Semester"
    tag = "sem"


class Holiday(Row):
    __slots__ = ()
    type_name = "Holiday"
    tag = "hol"


class Period(Row):
    __slots__ = ()
    type_name = "Period"
    tag = "per"


period_by_id = by_key(queries.periods, Period)
school_by_id = from_statement(queries.schools_by_id, School, column="id")
academic_year_by_id = by_key(queries.academic_years, AcademicYear)
semester_by_id = by_key(queries.semesters, Semester)
holiday_by_id = by_key(queries.holidays, Holiday)


async def school(context: Context) -> School | None:
    """Returns the school, or None in a database that has not been set up."""
    return await context.fetch_one(queries.school, School)
