"""Students and their class memberships."""

from datetime import date, datetime

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, SIZED_BY
from execution.errors import Refusal
from execution.fields import computed, edge, guarded
from resolvers import academic_years, charges, classes, students, users
from resolvers.attendance import breakdowns_per_student, summaries_per_student
from rules.text import normal_text, storable_problem
from schema.account_statements import statements_edge
from schema.as_of import as_of_edge
from schema.attendance_summaries import breakdown_edge, summary_edge
from schema.charges import Balance
from schema.connections import connection, root_connection
from schema.grading import report_edge, subject_average_edge
from schema.listings.assessments import GRADES
from schema.listings.attendance import ATTENDANCE
from schema.listings.charges import CHARGES
from schema.listings.grading import FINAL_GRADES
from schema.listings.guardians import GUARDIANS, GUARDIANSHIPS
from schema.listings.students import MEMBERSHIPS, STUDENTS, MembershipEndReason, MembershipReason
from schema.nodes import Node, node, root_node
from schema.people import NAME, Contact, forbidden_field, full_name
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import query_fields, root

__all__ = ["ClassMembership", "Student", "StudentQueries"]


@node(students.Student, students.student_by_id)
@strawberry.type(description="A student of the school.")
class Student(Node):
    alt_id: int = strawberry.field(description="A number that never changes, for systems that need numeric ids.")
    student_number: str = strawberry.field(description="The student number, unique in the school.")
    first_name: str = strawberry.field(description="First name.")
    last_name: str = strawberry.field(description="Last name.")
    name: str = computed(full_name, columns=NAME, json_kind="words", description="First and last name.")
    birth_date: date | None = guarded("birth_date", "birth_date_visible", forbidden_field, description="Date of birth.")
    contact: Contact | None = guarded(None, "contact_visible", forbidden_field, description="The student's contact details.")
    enrollment_date: date = strawberry.field(description="The date of the first enrolment.")
    is_active: bool = strawberry.field(description="Whether the student currently attends the school.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    user = to_one(users.user_by_id, "user_id", description="The student's account.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The student's current class.")
    class_history = connection(MEMBERSHIPS, "student", count_cost=20, description="The student's class memberships, latest first.")
    guardians = connection(
        GUARDIANS, "student", allowed="guardians_visible", refuse=forbidden_field, description="The student's guardians, by name."
    )
    guardianships = connection(
        GUARDIANSHIPS,
        "student",
        allowed="guardians_visible",
        refuse=forbidden_field,
        description="The student's links to guardians.",
    )
    balances: list[Balance] = edge(
        charges.balances_of_student,
        "id",
        metadata={COST: 20, SIZED_BY: 2},
        description="What the student owes, one entry per currency; empty without charges that you may see.",
    )

    attendance_summary = summary_edge(
        summaries_per_student, 0.1, "The student's whole-day attendance in a period; null without marks that you may see."
    )
    attendance_breakdown = breakdown_edge(
        breakdowns_per_student, 0.1, "The student's attendance, as far as you may see it, by day, week, month or subject."
    )
    statements = statements_edge()
    as_of = as_of_edge()
    grades = connection(GRADES, "student", cost=15, description="The student's grades, as far as you may see them, latest first.")
    final_grades = connection(
        FINAL_GRADES,
        "student",
        cost=6,
        count_cost=20,
        description="The student's posted final grades, as far as you may see them, latest first.",
    )
    subject_average = subject_average_edge()
    semester_report = report_edge()
    attendance = connection(
        ATTENDANCE, "student", count_cost=15, description="The student's attendance, as far as you may see it, latest date first."
    )
    charges = connection(
        CHARGES, "student", cost=6, count_cost=15, description="The student's charges, as far as you may see them, latest due date first."
    )


@node(students.ClassMembership, students.membership_by_id)
@strawberry.type(description="A student's membership in a class, from a first to a last day, both inclusive.")
class ClassMembership(Node):
    from_date: date = strawberry.field(description="The first day in the class.")
    to_date: date | None = strawberry.field(description="The last day in the class; null if the membership has not ended.")
    reason: MembershipReason = strawberry.field(description="Why the student came into the class.")
    end_reason: MembershipEndReason | None = strawberry.field(description="Why the membership ended; null if it has not ended.")
    note: str | None = strawberry.field(description="The office's note.")
    student = to_one(students.student_by_id, "student_id", description="The student.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The academic year of the class.")


@query_fields
class StudentQueries:
    student = root_node(Student, description="The student with this id.")
    students = root_connection(STUDENTS, Capability.SIGNED_IN, description="The students you may see, by name.")

    @root(Capability.SIGNED_IN, description="The student with this student number; null if there is none that you may see.")
    async def student_by_number(self, info: Info, student_number: str) -> Student | None:
        number = normal_text(student_number)
        problem = storable_problem(number)
        if problem is not None:
            raise Refusal("BAD_USER_INPUT", f"`studentNumber` {problem}.", argument="studentNumber")
        found: Student | None = await info.context.loaders.of(students.student_by_number).load(number)
        return found
