"""Mutations of the school's settings, academic years, semesters, holidays and periods, for administrators."""

from datetime import date, datetime, time

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years
from resolvers.writing.calendar import create_academic_year, update_academic_year, update_school
from resolvers.writing.crud import create_action, delete_action, update_action
from schema.academic_years import MissingGradePolicy, RoundingMode
from schema.inputs import CreateInput, MutationInput, UpdateInput, node_id, optional, required
from schema.mutations import mutation, payload_node, payload_value
from schema.roots import mutation_fields

__all__ = ["DELETED", "CalendarMutations"]

DELETED = payload_value(strawberry.ID | None, "The id of the deleted object.")
_YEAR = payload_node(academic_years.academic_year_by_id, "The academic year as it is now.")
_SEMESTER = payload_node(academic_years.semester_by_id, "The semester as it is now.")
_HOLIDAY = payload_node(academic_years.holiday_by_id, "The holiday as it is now.")
_PERIOD = payload_node(academic_years.period_by_id, "The period as it is now.")


@strawberry.input(description="Changes to the school's settings. The first call sets up the school; its version is ignored.")
class UpdateSchoolInput(UpdateInput):
    name: str | None = optional("The school's name.")
    time_zone: str | None = optional(
        "IANA name of the time zone, such as Europe/Berlin. Days, due dates and lateness are determined in it."
    )
    currency: str | None = optional("ISO 4217 code of the default currency of charges.")
    full_day_minutes: int | None = optional("The minutes of presence from which a day counts as a full day.")
    school_days: list[int] | None = optional("The days of the week with school: 1 is Monday, 7 Sunday.")
    rounding_mode: RoundingMode | None = optional("How an average is rounded.")
    rounding_decimals: int | None = optional("The number of decimals to which an average is rounded, 0 to 4.")
    missing_counts_as: MissingGradePolicy | None = optional("What a missing grade counts as.")
    shows_rank: bool | None = optional("Whether reports show a student's rank in the class.")


@strawberry.input(description="An academic year. It must not overlap another.")
class CreateAcademicYearInput(CreateInput):
    name: str = required("The display name, such as 2026/27.")
    start_date: date = required("The first day.")
    end_date: date = required("The last day.")
    is_current: bool | None = optional("Whether it becomes the current academic year, in place of the previous one.")


@strawberry.input(description="Changes to an academic year.")
class UpdateAcademicYearInput(UpdateInput):
    id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year.")
    name: str | None = optional("The display name.")
    start_date: date | None = optional("The first day.")
    end_date: date | None = optional("The last day.")
    is_current: bool | None = optional("Whether it becomes the current academic year, in place of the previous one.")


@strawberry.input(description="A semester. It must lie within its academic year and must not overlap another.")
class CreateSemesterInput(CreateInput):
    academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year it belongs to.")
    name: str = required("The display name.")
    start_date: date = required("The first day.")
    end_date: date = required("The last day.")
    is_current: bool | None = optional("Whether it is the current one.")
    posting_opens_at: datetime | None = optional("When the posting of final grades opens.")
    posting_closes_at: datetime | None = optional("When the posting of final grades closes and grades are locked.")


@strawberry.input(description="Changes to a semester.")
class UpdateSemesterInput(UpdateInput):
    id: strawberry.ID = node_id(academic_years.Semester, "The semester.")
    name: str | None = optional("The display name.")
    start_date: date | None = optional("The first day.")
    end_date: date | None = optional("The last day.")
    is_current: bool | None = optional("Whether it is the current one.")
    posting_opens_at: datetime | None = optional("When the posting of final grades opens; null if not set.")
    posting_closes_at: datetime | None = optional("When the posting of final grades closes and grades are locked; null if not set.")


@strawberry.input(description="A holiday of one or more days. It must lie within its academic year and must not overlap another.")
class CreateHolidayInput(CreateInput):
    academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year.")
    name: str = required("The display name.")
    start_date: date = required("The first day.")
    end_date: date = required("The last day.")


@strawberry.input(description="Changes to a holiday.")
class UpdateHolidayInput(UpdateInput):
    id: strawberry.ID = node_id(academic_years.Holiday, "The holiday.")
    name: str | None = optional("The display name.")
    start_date: date | None = optional("The first day.")
    end_date: date | None = optional("The last day.")


@strawberry.input(description="The holiday to delete.")
class DeleteHolidayInput(MutationInput):
    id: strawberry.ID = node_id(academic_years.Holiday, "The holiday.")


@strawberry.input(description="A period of the school day. It must not overlap another.")
class CreatePeriodInput(CreateInput):
    name: str = required("The display name.")
    start_time: time = required("When it begins, in the school's time.")
    end_time: time = required("When it ends, in the school's time.")


@strawberry.input(description="Changes to a period.")
class UpdatePeriodInput(UpdateInput):
    id: strawberry.ID = node_id(academic_years.Period, "The period.")
    name: str | None = optional("The display name.")
    start_time: time | None = optional("When it begins, in the school's time.")
    end_time: time | None = optional("When it ends, in the school's time.")


@strawberry.input(description="The period to delete.")
class DeletePeriodInput(MutationInput):
    id: strawberry.ID = node_id(academic_years.Period, "The period.")


_ADMIN = Capability.MANAGE_SCHOOL


@mutation_fields
class CalendarMutations:
    update_school = mutation(
        _ADMIN,
        UpdateSchoolInput,
        update_school,
        description="Updates the school's settings.",
        school=payload_node(academic_years.school_by_id, "The school as it is now."),
    )
    create_academic_year = mutation(
        _ADMIN, CreateAcademicYearInput, create_academic_year, description="Creates an academic year.", academic_year=_YEAR
    )
    update_academic_year = mutation(
        _ADMIN, UpdateAcademicYearInput, update_academic_year, description="Updates an academic year.", academic_year=_YEAR
    )
    create_semester = mutation(
        _ADMIN, CreateSemesterInput, create_action("semesters", "semester"), description="Creates a semester.", semester=_SEMESTER
    )
    update_semester = mutation(
        _ADMIN, UpdateSemesterInput, update_action("semesters", "semester"), description="Updates a semester.", semester=_SEMESTER
    )
    create_holiday = mutation(
        _ADMIN, CreateHolidayInput, create_action("holidays", "holiday"), description="Creates a holiday.", holiday=_HOLIDAY
    )
    update_holiday = mutation(
        _ADMIN, UpdateHolidayInput, update_action("holidays", "holiday"), description="Updates a holiday.", holiday=_HOLIDAY
    )
    delete_holiday = mutation(
        _ADMIN,
        DeleteHolidayInput,
        delete_action("holidays", academic_years.Holiday.tag),
        description="Deletes a holiday.",
        deleted_id=DELETED,
    )
    create_period = mutation(_ADMIN, CreatePeriodInput, create_action("periods", "period"), description="Creates a period.", period=_PERIOD)
    update_period = mutation(_ADMIN, UpdatePeriodInput, update_action("periods", "period"), description="Updates a period.", period=_PERIOD)
    delete_period = mutation(
        _ADMIN, DeletePeriodInput, delete_action("periods", academic_years.Period.tag), description="Deletes a period.", deleted_id=DELETED
    )
