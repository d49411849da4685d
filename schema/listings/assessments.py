"""How assessments and grades are listed."""

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


@strawberry.enum(description="What a grade is. Missing is not zero, and neither is excused.")
class GradeState(Enum):
    SCORED = strawberry.enum_value("SCORED", description="It has a score.")
    MISSING = strawberry.enum_value("MISSING", description="Nothing was handed in. What it counts is the school's policy.")
    EXCUSED = strawberry.enum_value("EXCUSED", description="It does not count, neither for nor against.")
    INCOMPLETE = strawberry.enum_value("INCOMPLETE", description="It is not finished yet.")


@strawberry.enum(description="What assessments may be sorted by.")
class AssessmentOrderField(Enum):
    ASSESSMENT_DATE = strawberry.enum_value("assessment_date", description="The day.")


@strawberry.input(description="Which assessments.")
class AssessmentFilter:
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Of these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="In these subjects.")
    semester_ids: list[strawberry.ID] | None = id_filter(Semester, "Semester", description="In these semesters.")
    assessment_type_ids: list[strawberry.ID] | None = id_filter(AssessmentType, "AssessmentType", description="Of these types.")
    is_published: bool | None = optional("Whether students and guardians see it.")
    from_date: date | None = optional("Of this day or later.")
    to_date: date | None = optional("Of this day or earlier.")


ASSESSMENTS = Listing(
    queries.assessments,
    Assessment,
    order_input("Assessment", AssessmentOrderField),
    AssessmentOrderField.ASSESSMENT_DATE,
    AssessmentFilter,
    descending=True,
)


@strawberry.enum(description="What grades may be sorted by.")
class GradeOrderField(Enum):
    ASSESSMENT_DATE = strawberry.enum_value("assessment_date", description="The day of the assessment.")
    PERCENTAGE = strawberry.enum_value(
        "percentage",
        description="The score in per cent of the maximum; grades without a score are lowest. In `grades` with `studentIds`, `classIds` or `assessmentIds` only.",
    )


@strawberry.input(description="Which grades.")
class GradeFilter:
    student_ids: list[strawberry.ID] | None = id_filter(Student, "Student", description="Of these students.")
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Got in these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="In these subjects.")
    semester_ids: list[strawberry.ID] | None = id_filter(Semester, "Semester", description="In these semesters.")
    assessment_ids: list[strawberry.ID] | None = id_filter(Assessment, "Assessment", description="In these assessments.")
    assessment_type_ids: list[strawberry.ID] | None = id_filter(
        AssessmentType, "AssessmentType", description="Of these types of assessment."
    )
    letters: list[str] | None = optional("With one of these letters.")
    states: list[GradeState] | None = optional("In one of these states.")
    failing: bool | None = optional("Below 60 per cent (true), or not (false).")
    scored: bool | None = optional("With a score (true), or missing, excused or incomplete (false).")
    is_published: bool | None = optional("Whether the student and the guardians see it.")
    percentage_at_least: Decimal | None = optional("At least so many per cent.")
    percentage_at_most: Decimal | None = optional("At most so many per cent.")
    recorded_by_ids: list[strawberry.ID] | None = id_filter(User, "User", description="Recorded by one of these users.")
    from_date: date | None = optional("Of an assessment on this day or later.")
    to_date: date | None = optional("Of an assessment on this day or earlier.")


GRADES = Listing(
    queries.grades,
    Grade,
    order_input("Grade", GradeOrderField),
    GradeOrderField.ASSESSMENT_DATE,
    GradeFilter,
    descending=True,
)
