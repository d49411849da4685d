"""The object types by name, for fields that lead to them: nouns lead to each other in circles, so none imports another."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.academic_years import AcademicYear, Holiday, Period, School, Semester
    from schema.assessments import Assessment, AssessmentType
    from schema.attendance import Attendance
    from schema.audit import AuditEntry
    from schema.classes import Class, ClassSubject
    from schema.gateway_events import GatewayEvent
    from schema.grade_reopenings import GradeReopening
    from schema.grades import Grade
    from schema.grading import FinalGrade, GradingScale
    from schema.guardians import Guardian, Guardianship
    from schema.payment_transactions import PaymentTransaction, Receipt
    from schema.payments import FeeCategory, Payment
    from schema.registers import Register
    from schema.service_tokens import ServiceToken
    from schema.sessions import UserSession
    from schema.students import ClassMembership, Student
    from schema.subjects import Subject
    from schema.teachers import Teacher
    from schema.users import User
else:
    AcademicYear = Annotated["AcademicYear", strawberry.lazy("schema.academic_years")]
    Assessment = Annotated["Assessment", strawberry.lazy("schema.assessments")]
    AssessmentType = Annotated["AssessmentType", strawberry.lazy("schema.assessments")]
    Attendance = Annotated["Attendance", strawberry.lazy("schema.attendance")]
    AuditEntry = Annotated["AuditEntry", strawberry.lazy("schema.audit")]
    Class = Annotated["Class", strawberry.lazy("schema.classes")]
    ClassMembership = Annotated["ClassMembership", strawberry.lazy("schema.students")]
    ClassSubject = Annotated["ClassSubject", strawberry.lazy("schema.classes")]
    FeeCategory = Annotated["FeeCategory", strawberry.lazy("schema.payments")]
    FinalGrade = Annotated["FinalGrade", strawberry.lazy("schema.grading")]
    GatewayEvent = Annotated["GatewayEvent", strawberry.lazy("schema.gateway_events")]
    Grade = Annotated["Grade", strawberry.lazy("schema.grades")]
    GradeReopening = Annotated["GradeReopening", strawberry.lazy("schema.grade_reopenings")]
    GradingScale = Annotated["GradingScale", strawberry.lazy("schema.grading")]
    Guardian = Annotated["Guardian", strawberry.lazy("schema.guardians")]
    Guardianship = Annotated["Guardianship", strawberry.lazy("schema.guardians")]
    Holiday = Annotated["Holiday", strawberry.lazy("schema.academic_years")]
    Payment = Annotated["Payment", strawberry.lazy("schema.payments")]
    PaymentTransaction = Annotated["PaymentTransaction", strawberry.lazy("schema.payment_transactions")]
    Period = Annotated["Period", strawberry.lazy("schema.academic_years")]
    Receipt = Annotated["Receipt", strawberry.lazy("schema.payment_transactions")]
    Register = Annotated["Register", strawberry.lazy("schema.registers")]
    School = Annotated["School", strawberry.lazy("schema.academic_years")]
    Semester = Annotated["Semester", strawberry.lazy("schema.academic_years")]
    ServiceToken = Annotated["ServiceToken", strawberry.lazy("schema.service_tokens")]
    Student = Annotated["Student", strawberry.lazy("schema.students")]
    Subject = Annotated["Subject", strawberry.lazy("schema.subjects")]
    Teacher = Annotated["Teacher", strawberry.lazy("schema.teachers")]
    User = Annotated["User", strawberry.lazy("schema.users")]
    UserSession = Annotated["UserSession", strawberry.lazy("schema.sessions")]

__all__ = [
    "AcademicYear",
    "Assessment",
    "AssessmentType",
    "Attendance",
    "AuditEntry",
    "Class",
    "ClassMembership",
    "ClassSubject",
    "FeeCategory",
    "FinalGrade",
    "GatewayEvent",
    "Grade",
    "GradeReopening",
    "GradingScale",
    "Guardian",
    "Guardianship",
    "Holiday",
    "Payment",
    "PaymentTransaction",
    "Period",
    "Receipt",
    "Register",
    "School",
    "Semester",
    "ServiceToken",
    "Student",
    "Subject",
    "Teacher",
    "User",
    "UserSession",
]
