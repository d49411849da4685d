"""What is taught, assessed and charged for."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["AssessmentType", "FeeCategory", "Subject", "assessment_type_by_id", "fee_category_by_id", "subject_by_id"]


class Subject(Row):
    __slots__ = ()
    type_name = "Subject"
    tag = "sub"


class AssessmentType(Row):
    __slots__ = ()
    type_name = "AssessmentType"
    tag = "aty"


class FeeCategory(Row):
    __slots__ = ()
    type_name = "FeeCategory"
    tag = "fee"


subject_by_id = by_key(queries.subjects, Subject)
assessment_type_by_id = by_key(queries.assessment_types, AssessmentType)
fee_category_by_id = by_key(queries.fee_categories, FeeCategory)
