"""The school's settings, years, semesters, holidays and periods, written by administrators."""

from datetime import date, datetime, time

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years
from resolvers.writing.calendar import create_academic_year, update_academic_year, update_school
from resolvers.writing.crud import create_action, delete_action, update_action
from schema.academic_years import MissingPolicy, RoundingMode
from schema.inputs import CreateInput, MutationInput, UpdateInput, may, must, node_id
from schema.mutations import mutation, payload_node, payload_value

__all__ = ["DELETED", "CalendarMutations"]

DELETED = payload_value(strawberry.ID | None, "The id that was deleted.")
_YEAR = payload_node(academic_years.academic_year_by_id, "The academic year as it is now.")
_SEMESTER = payload_node(academic_years.semester_by_id, "The semester as it is now.")
_HOLIDAY = payload_node(academic_years.holiday_by_id, "The holiday as it is now.")
_PERIOD = payload_node(academic_years.period_by_id, "The period as it is now.")


@strawberry.input(description="What to change of the school's settings. The first call sets the school up, whatever the version.")
class UpdateSchoolInput(UpdateInput):
    name: str | None = may("The school's name.")
    time_zone: str | None = may("IANA name of the time zone, such as Europe/Berlin: what is today, due or late is decided in it.")
    currency: str | None = may("ISO 4217 code of the currency that charges are in unless they say otherwise.")
    full_day_minutes: int | None = may("From how many minutes of presence a day counts as a whole day.")
    school_days: list[int] | None = may("The days of the week with school: 1 is Monday, 7 Sunday.")
    rounding_mode: RoundingMode | None = may("How an average is rounded.")
    rounding_decimals: int | None = may("To how many decimals an average is rounded, 0 to 4.")
    missing_counts_as: MissingPolicy | None = may("What a missing grade counts as.")
    shows_rank: bool | None = may("Whether reports say a student's rank in the class.")


@strawberry.input(description="A school year. It overlaps no other.")
class CreateAcademicYearInput(CreateInput):
    name: str = must("What people call it, such as 2026/27.")
    start_date: date = must("The first day.")
    end_date: date = must("The last day.")
    is_current: bool | None = may("Whether it becomes the current one; the one that was no longer is.")


@strawberry.input(description="What to change of a school year.")
class UpdateAcademicYearInput(UpdateInput):
    id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year.")
    name: str | None = may("What people call it.")
    start_date: date | None = may("The first day.")
    end_date: date | None = may("The last day.")
    is_current: bool | None = may("Whether it becomes the current one; the one that was no longer is.")


@strawberry.input(description="A part of a school year. It overlaps no other, and lies inside its year.")
class CreateSemesterInput(CreateInput):
    academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The year it is part of.")
    name: str = must("What people call it.")
    start_date: date = must("The first day.")
    end_date: date = must("The last day.")
    is_current: bool | None = may("Whether it is the current one.")
    posting_opens_at: datetime | None = may("From when final grades may be posted.")
    posting_closes_at: datetime | None = may("From when grades are locked.")


@strawberry.input(description="What to change of a semester.")
class UpdateSemesterInput(UpdateInput):
    id: strawberry.ID = node_id(academic_years.Semester, "The semester.")
    name: str | None = may("What people call it.")
    start_date: date | None = may("The first day.")
    end_date: date | None = may("The last day.")
    is_current: bool | None = may("Whether it is the current one.")
    posting_opens_at: datetime | None = may("From when final grades may be posted; null: not set.")
    posting_closes_at: datetime | None = may("From when grades are locked; null: not set.")


@strawberry.input(description="Days without school. They overlap no others, and lie inside their year.")
class CreateHolidayInput(CreateInput):
    academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The year they are in.")
    name: str = must("What people call them.")
    start_date: date = must("The first day.")
    end_date: date = must("The last day.")


@strawberry.input(description="What to change of a holiday.")
class UpdateHolidayInput(UpdateInput):
    id: strawberry.ID = node_id(academic_years.Holiday, "The holiday.")
    name: str | None = may("What people call it.")
    start_date: date | None = may("The first day.")
    end_date: date | None = may("The last day.")


@strawberry.input(description="Which holiday.")
class DeleteHolidayInput(MutationInput):
    id: strawberry.ID = node_id(academic_years.Holiday, "The holiday.")


@strawberry.input(description="A period of a school day. It overlaps no other.")
class CreatePeriodInput(CreateInput):
    name: str = must("What people call it.")
    start_time: time = must("When it begins, where the school is.")
    end_time: time = must("When it ends, where the school is.")


@strawberry.input(description="What to change of a period.")
class UpdatePeriodInput(UpdateInput):
    id: strawberry.ID = node_id(academic_years.Period, "The period.")
    name: str | None = may("What people call it.")
    start_time: time | None = may("When it begins, where the school is.")
    end_time: time | None = may("When it ends, where the school is.")


@strawberry.input(description="Which period.")
class DeletePeriodInput(MutationInput):
    id: strawberry.ID = node_id(academic_years.Period, "The period.")


_ADMIN = Capability.MANAGE_SCHOOL


@strawberry.type
class CalendarMutations:
    update_school = mutation(
        _ADMIN,
        UpdateSchoolInput,
        update_school,
        description="Changes the school's settings.",
        school=payload_node(academic_years.school_by_id, "The school as it is now."),
    )
    create_academic_year = mutation(
        _ADMIN, CreateAcademicYearInput, create_academic_year, description="Makes an academic year.", academic_year=_YEAR
    )
    update_academic_year = mutation(
        _ADMIN, UpdateAcademicYearInput, update_academic_year, description="Changes an academic year.", academic_year=_YEAR
    )
    create_semester = mutation(
        _ADMIN, CreateSemesterInput, create_action("semesters", "semester"), description="Makes a semester.", semester=_SEMESTER
    )
    update_semester = mutation(
        _ADMIN, UpdateSemesterInput, update_action("semesters", "semester"), description="Changes a semester.", semester=_SEMESTER
    )
    create_holiday = mutation(
        _ADMIN, CreateHolidayInput, create_action("holidays", "holiday"), description="Makes a holiday.", holiday=_HOLIDAY
    )
    update_holiday = mutation(
        _ADMIN, UpdateHolidayInput, update_action("holidays", "holiday"), description="Changes a holiday.", holiday=_HOLIDAY
    )
    delete_holiday = mutation(
        _ADMIN,
        DeleteHolidayInput,
        delete_action("holidays", academic_years.Holiday.tag),
        description="Deletes a holiday.",
        deleted_id=DELETED,
    )
    create_period = mutation(_ADMIN, CreatePeriodInput, create_action("periods", "period"), description="Makes a period.", period=_PERIOD)
    update_period = mutation(_ADMIN, UpdatePeriodInput, update_action("periods", "period"), description="Changes a period.", period=_PERIOD)
    delete_period = mutation(
        _ADMIN, DeletePeriodInput, delete_action("periods", academic_years.Period.tag), description="Deletes a period.", deleted_id=DELETED
    )
