"""The object types by name, for fields that lead to them: nouns lead to each other in circles, so none imports another."""

from typing import Annotated

import strawberry

AcademicYear = Annotated["AcademicYear", strawberry.lazy("schema.academic_years")]
Assessment = Annotated["Assessment", strawberry.lazy("schema.assessments")]
AssessmentType = Annotated["AssessmentType", strawberry.lazy("schema.assessments")]
Attendance = Annotated["Attendance", strawberry.lazy("schema.attendance")]
AuditEntry = Annotated["AuditEntry", strawberry.lazy("schema.audit")]
Class = Annotated["Class", strawberry.lazy("schema.classes")]
ClassMembership = Annotated["ClassMembership", strawberry.lazy("schema.students")]
ClassSubject = Annotated["ClassSubject", strawberry.lazy("schema.classes")]
FeeCategory = Annotated["FeeCategory", strawberry.lazy("schema.payments")]
Grade = Annotated["Grade", strawberry.lazy("schema.grades")]
Guardian = Annotated["Guardian", strawberry.lazy("schema.guardians")]
Guardianship = Annotated["Guardianship", strawberry.lazy("schema.guardians")]
Holiday = Annotated["Holiday", strawberry.lazy("schema.academic_years")]
Payment = Annotated["Payment", strawberry.lazy("schema.payments")]
PaymentTransaction = Annotated["PaymentTransaction", strawberry.lazy("schema.payment_transactions")]
Receipt = Annotated["Receipt", strawberry.lazy("schema.payment_transactions")]
Register = Annotated["Register", strawberry.lazy("schema.registers")]
Semester = Annotated["Semester", strawberry.lazy("schema.academic_years")]
ServiceToken = Annotated["ServiceToken", strawberry.lazy("schema.service_tokens")]
Student = Annotated["Student", strawberry.lazy("schema.students")]
Subject = Annotated["Subject", strawberry.lazy("schema.subjects")]
Teacher = Annotated["Teacher", strawberry.lazy("schema.staff")]
User = Annotated["User", strawberry.lazy("schema.users")]
