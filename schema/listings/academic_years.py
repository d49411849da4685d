"""Lists of academic years, semesters, holidays and periods."""

from datetime import date
from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.academic_years import AcademicYear, Holiday, Period, Semester
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["ACADEMIC_YEARS", "HOLIDAYS", "PERIODS", "SEMESTERS"]


@strawberry.enum(description="The fields by which academic years can be sorted.")
class AcademicYearOrderField(Enum):
    START_DATE = strawberry.enum_value("start_date", description="The first day.")
    END_DATE = strawberry.enum_value("end_date", description="The last day.")


@strawberry.input(description="Conditions for academic years.")
class AcademicYearFilter:
    is_current: bool | None = optional("Whether it is the current one.")
    on: date | None = optional("The academic year that contains this date.")


ACADEMIC_YEARS = Listing(
    queries.academic_years,
    AcademicYear,
    order_input("AcademicYear", AcademicYearOrderField),
    AcademicYearOrderField.START_DATE,
    AcademicYearFilter,
    descending=True,
)


@strawberry.enum(description="The fields by which semesters can be sorted.")
class SemesterOrderField(Enum):
    START_DATE = strawberry.enum_value("start_date", description="The first day.")


@strawberry.input(description="Conditions for semesters.")
class SemesterFilter:
    academic_year_ids: list[strawberry.ID] | None = id_filter(AcademicYear, "AcademicYear", description="Of these academic years.")
    is_current: bool | None = optional("Whether it is the current one.")
    on: date | None = optional("The semester that contains this date.")


SEMESTERS = Listing(
    queries.semesters,
    Semester,
    order_input("Semester", SemesterOrderField),
    SemesterOrderField.START_DATE,
    SemesterFilter,
    descending=True,
)


@strawberry.enum(description="The fields by which holidays can be sorted.")
class HolidayOrderField(Enum):
    START_DATE = strawberry.enum_value("start_date", description="The first day.")


@strawberry.input(description="Conditions for holidays.")
class HolidayFilter:
    from_day: date | None = strawberry.field(
        name="from", default=strawberry.UNSET, description="That have not ended before this date: they last on it or begin later."
    )


HOLIDAYS = Listing(queries.holidays, Holiday, order_input("Holiday", HolidayOrderField), HolidayOrderField.START_DATE, HolidayFilter)


@strawberry.enum(description="The fields by which periods can be sorted.")
class PeriodOrderField(Enum):
    START_TIME = strawberry.enum_value("start_time", description="When it begins.")


PERIODS = Listing(queries.periods, Period, order_input("Period", PeriodOrderField), PeriodOrderField.START_TIME)
