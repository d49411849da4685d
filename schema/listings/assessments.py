"""Lists of assessments and grades."""

from datetime import date
from decimal import Decimal
from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.academic_years import Semester
from resolvers.classes import Class
from resolvers.grades import Assessment, Grade
from resolvers.students import Student
from resolvers.subjects import AssessmentType, Subject
from resolvers.users import User
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["ASSESSMENTS", "GRADES", "GradeState"]


@strawberry.enum(description="The state of a grade. A missing or excused grade is not zero.")
class GradeState(Enum):
    SCORED = strawberry.enum_value("SCORED", description="It has a score.")
    MISSING = strawberry.enum_value("MISSING", description="Nothing was handed in. The school's policy determines what it counts as.")
    EXCUSED = strawberry.enum_value("EXCUSED", description="It does not count, neither for nor against the student.")
    INCOMPLETE = strawberry.enum_value("INCOMPLETE", description="It is not complete yet.")


@strawberry.enum(description="The fields by which assessments can be sorted.")
class AssessmentOrderField(Enum):
    ASSESSMENT_DATE = strawberry.enum_value("assessment_date", description="The date.")


@strawberry.input(description="Conditions for assessments.")
class AssessmentFilter:
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Of these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="In these subjects.")
    semester_ids: list[strawberry.ID] | None = id_filter(Semester, "Semester", description="In these semesters.")
    assessment_type_ids: list[strawberry.ID] | None = id_filter(AssessmentType, "AssessmentType", description="Of these types.")
    is_published: bool | None = optional("Whether students and guardians see it.")
    from_date: date | None = optional("On or after this date.")
    to_date: date | None = optional("On or before this date.")


ASSESSMENTS = Listing(
    queries.assessments,
    Assessment,
    order_input("Assessment", AssessmentOrderField),
    AssessmentOrderField.ASSESSMENT_DATE,
    AssessmentFilter,
    descending=True,
)


@strawberry.enum(description="The fields by which grades can be sorted.")
class GradeOrderField(Enum):
    ASSESSMENT_DATE = strawberry.enum_value("assessment_date", description="The date of the assessment.")
    PERCENTAGE = strawberry.enum_value(
        "percentage",
        description="The score as a percentage of the maximum; grades without a score come lowest. In the root field `grades` only"
        " with `studentIds`, `classIds` or `assessmentIds`.",
    )


@strawberry.input(description="Conditions for grades.")
class GradeFilter:
    student_ids: list[strawberry.ID] | None = id_filter(Student, "Student", description="Of these students.")
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Given in these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="In these subjects.")
    semester_ids: list[strawberry.ID] | None = id_filter(Semester, "Semester", description="In these semesters.")
    assessment_ids: list[strawberry.ID] | None = id_filter(Assessment, "Assessment", description="In these assessments.")
    assessment_type_ids: list[strawberry.ID] | None = id_filter(
        AssessmentType, "AssessmentType", description="Of these types of assessment."
    )
    letters: list[str] | None = optional("With one of these letters.")
    states: list[GradeState] | None = optional("In one of these states.")
    failing: bool | None = optional("Below 60 percent (true), or not (false).")
    scored: bool | None = optional("With a score (true), or missing, excused or incomplete (false).")
    is_published: bool | None = optional("Whether it is visible to the student and their guardians.")
    percentage_at_least: Decimal | None = optional("At least this percentage.")
    percentage_at_most: Decimal | None = optional("At most this percentage.")
    recorded_by_ids: list[strawberry.ID] | None = id_filter(User, "User", description="Recorded by one of these users.")
    from_date: date | None = optional("Of an assessment on or after this date.")
    to_date: date | None = optional("Of an assessment on or before this date.")


GRADES = Listing(
    queries.grades,
    Grade,
    order_input("Grade", GradeOrderField),
    GradeOrderField.ASSESSMENT_DATE,
    GradeFilter,
    descending=True,
)
