"""The columns of the seed's 87 lines of indexes, by table. The tests have a list of their own, written by hand, and do not read this one."""

__all__ = ["SEED_LINES"]

SEED_LINES: dict[str, list[str]] = {
    "users": ["lower(email)", "role", "is_active", "role, is_active", "lower(first_name)", "lower(last_name)", "alt_id"],
    "students": ["user_id", "class_id", "student_number", "is_active", "class_id, is_active", "enrollment_date", "alt_id"],
    "teachers": ["user_id", "employee_number", "is_active", "specialization", "joining_date", "alt_id"],
    "classes": ["academic_year_id", "teacher_id", "is_active", "grade_level, section", "academic_year_id, is_active", "current_enrollment"],
    "attendance": [
        "student_id", "class_id", "subject_id", "date", "status", "student_id, date", "class_id, date", "date, status", "marked_by",
    ],
    "grades": [
        "student_id", "subject_id", "assessment_type_id", "semester_id", "student_id, subject_id", "student_id, semester_id",
        "student_id, assessment_id", "letter", "percentage", "recorded_by", "assessment_date",
    ],
    "payments": [
        "student_id", "fee_category_id", "status", "due_date", "payment_date", "method", "student_id, status", "due_date, status",
        "processed_by", "transaction_id",
    ],
    "academic_years": ["name", "is_current", "start_date", "end_date"],
    "semesters": ["academic_year_id", "academic_year_id, start_date", "is_current"],
    "subjects": ["code", "lower(name)", "is_active"],
    "teacher_subjects": ["teacher_id", "subject_id", "teacher_id, subject_id"],
    "class_subjects": ["class_id", "subject_id", "teacher_id", "semester_id", "class_id, subject_id, semester_id"],
    "student_class_history": ["student_id", "class_id", "academic_year_id", "student_id, from_date", "class_id, from_date", "to_date"],
    "assessment_types": ["code", "lower(name)", "is_active"],
    "audit_logs": ["user_id", "table_name, record_id", "action", "created_at"],
}  # fmt: skip
