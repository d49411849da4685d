"""Lists of students and class memberships."""

from datetime import date
from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.academic_years import AcademicYear
from resolvers.classes import Class
from resolvers.students import ClassMembership, Student
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["MEMBERSHIPS", "STUDENTS", "MembershipEndReason", "MembershipReason"]


@strawberry.enum(description="Why a student came into a class.")
class MembershipReason(Enum):
    ENROLLED = strawberry.enum_value("ENROLLED", description="The student's first class.")
    MOVED = strawberry.enum_value("MOVED", description="Moved from another class within the year.")
    PROMOTED = strawberry.enum_value("PROMOTED", description="Promoted at the end of a year.")
    REPEATED = strawberry.enum_value("REPEATED", description="Repeats a grade level.")
    RETURNED = strawberry.enum_value("RETURNED", description="Came back after leaving.")


@strawberry.enum(description="Why a student's membership in a class ended.")
class MembershipEndReason(Enum):
    MOVED = strawberry.enum_value("MOVED", description="Moved to another class within the year.")
    PROMOTED = strawberry.enum_value("PROMOTED", description="Promoted at the end of a year.")
    REPEATED = strawberry.enum_value("REPEATED", description="Repeats the grade level in another class.")
    LEFT = strawberry.enum_value("LEFT", description="Left the school.")
    GRADUATED = strawberry.enum_value("GRADUATED", description="Graduated.")


@strawberry.enum(description="The fields by which students can be sorted.")
class StudentOrderField(Enum):
    NAME = strawberry.enum_value("name", description="Last name, then first name, ignoring case and accents.")
    STUDENT_NUMBER = strawberry.enum_value("student_number", description="The student number, as text.")
    ENROLLMENT_DATE = strawberry.enum_value("enrollment_date", description="The enrolment date.")


@strawberry.input(description="Conditions for students.")
class StudentFilter:
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Now in one of these classes.")
    academic_year_ids: list[strawberry.ID] | None = id_filter(
        AcademicYear, "AcademicYear", description="Now in a class of one of these academic years."
    )
    grade_levels: list[int] | None = optional("Now in a class of one of these grade levels.")
    is_active: bool | None = optional("Whether they are active.")
    enrolled_from: date | None = optional("Enrolled on or after this date.")
    enrolled_to: date | None = optional("Enrolled on or before this date.")
    name_prefix: str | None = optional("The last name begins with this text; case, accents and punctuation are ignored.")


STUDENTS = Listing(
    queries.students,
    Student,
    order_input("Student", StudentOrderField),
    StudentOrderField.NAME,
    StudentFilter,
    cap=500,
)


@strawberry.enum(description="The fields by which class memberships can be sorted.")
class ClassMembershipOrderField(Enum):
    FROM_DATE = strawberry.enum_value("from_date", description="The first day in the class.")


@strawberry.input(description="Conditions for class memberships.")
class ClassMembershipFilter:
    academic_year_ids: list[strawberry.ID] | None = id_filter(AcademicYear, "AcademicYear", description="Of these academic years.")
    on: date | None = optional("Those that include this date.")
    is_open: bool | None = optional("Memberships that have not ended (true), or have ended (false).")


MEMBERSHIPS = Listing(
    queries.class_history,
    ClassMembership,
    order_input("ClassMembership", ClassMembershipOrderField),
    ClassMembershipOrderField.FROM_DATE,
    ClassMembershipFilter,
    descending=True,
)


@strawberry.enum(description="Why a student leaves the school.")
class LeavingReason(Enum):
    LEFT = strawberry.enum_value("LEFT", description="Left the school.")
    GRADUATED = strawberry.enum_value("GRADUATED", description="Graduated.")
