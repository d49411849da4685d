"""Defines the three screens for PostGraphile's schema, with aliases that give its responses the same keys."""

from typing import Any
from uuid import UUID

__all__ = ["POSTGRAPHILE", "postgraphile_variables", "without_kinds_of_ids"]

POSTGRAPHILE = {
    "small": """query Small($id: UUID!) {
  student: studentByRowId(rowId: $id) {
    id: rowId studentNumber enrollmentDate isActive
    user: userByUserId { id: rowId firstName lastName }
    class: classByClassId { id: rowId name gradeLevel section room }
  }
}""",
    "medium": """query Medium($id: UUID!) {
  class: classByRowId(rowId: $id) {
    id: rowId name gradeLevel section
    students: studentsByClassId(first: 25, orderBy: [SORT_KEY_ASC, ROW_ID_ASC]) {
      nodes {
        id: rowId studentNumber isActive
        grades: gradesByStudentId(first: 5, orderBy: [ASSESSMENT_DATE_DESC, ROW_ID_DESC]) { nodes { id: rowId assessmentDate percentage letter subject: subjectBySubjectId { id: rowId name } } }
      }
    }
  }
}""",
    "large": """query Large($first: Int!) {
  students: allStudents(first: $first, orderBy: [SORT_KEY_ASC, ROW_ID_ASC]) {
    nodes {
      id: rowId studentNumber isActive
      user: userByUserId { id: rowId firstName lastName }
      class: classByClassId { id: rowId name gradeLevel section }
      attendance: attendancesByStudentId(first: 10, orderBy: [DATE_DESC, ROW_ID_DESC]) { nodes { id: rowId date status excused minutesLate } }
    }
  }
}""",
}


def postgraphile_variables(variables: dict[str, Any]) -> dict[str, Any]:
    """Converts the variables for PostGraphile, whose ids are the rows' UUIDs without the prefix for the type."""
    return {"id": str(UUID(hex=variables["id"].rpartition("_")[2]))} if "id" in variables else variables


def without_kinds_of_ids(answer: Any) -> Any:
    """Returns a response with every `id` as 32 hexadecimal digits: without our prefix for the type, and without PostGraphile's hyphens."""
    if isinstance(answer, list):
        return [without_kinds_of_ids(each) for each in answer]
    if isinstance(answer, dict):
        return {key: _digits(value) if key == "id" else without_kinds_of_ids(value) for key, value in answer.items()}
    return answer


def _digits(value: Any) -> Any:
    return value.rpartition("_")[2].replace("-", "") if isinstance(value, str) else value
