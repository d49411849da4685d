"""Classes, and who teaches what in them, written by administrators."""

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, classes, subjects, teachers
from resolvers.writing.calendar import remove_class_subject
from resolvers.writing.crud import create_action, update_action
from resolvers.writing.teacher_subjects import add_teacher_subject, remove_teacher_subject, require_active_teacher
from schema.inputs import CreateInput, MutationInput, UpdateInput, may, must, node_id
from schema.mutations import mutation, payload_node
from schema.writing.calendar import DELETED

__all__ = ["ClassMutations"]

_CLASS = payload_node(classes.class_by_id, "The class as it is now.")
_LESSON = payload_node(classes.class_subject_by_id, "What is taught in the class, as it is now.")
_TEACHER = payload_node(teachers.teacher_by_id, "The teacher as they are now.")


@strawberry.input(description="A class of an academic year.")
class CreateClassInput(CreateInput):
    academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The year it is held in.")
    name: str = must("What people call it, such as 7b.")
    grade_level: int = must("The grade level, 0 for kindergarten to 13.")
    section: str = must("Which of the classes of its grade level.")
    teacher_id: strawberry.ID | None = node_id(teachers.Teacher, "The class's own teacher.", optional=True)
    room: str | None = may("Where it is at home.")
    capacity: int | None = may("How many students it has room for; no bound when left out.")


@strawberry.input(description="What to change of a class.")
class UpdateClassInput(UpdateInput):
    id: strawberry.ID = node_id(classes.Class, "The class.")
    name: str | None = may("What people call it.")
    grade_level: int | None = may("The grade level.")
    section: str | None = may("Which of the classes of its grade level.")
    teacher_id: strawberry.ID | None = node_id(teachers.Teacher, "The class's own teacher; null: nobody.", optional=True)
    room: str | None = may("Where it is at home.")
    capacity: int | None = may("How many students it has room for; null: no bound.")
    is_active: bool | None = may("Whether it is held now.")


@strawberry.input(description="That a subject is taught in a class in a semester.")
class CreateClassSubjectInput(CreateInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    subject_id: strawberry.ID = node_id(subjects.Subject, "The subject.")
    semester_id: strawberry.ID = node_id(academic_years.Semester, "A semester of the class's year.")
    teacher_id: strawberry.ID | None = node_id(teachers.Teacher, "Who teaches it; nobody yet when left out.", optional=True)


@strawberry.input(description="Who teaches a subject in a class.")
class UpdateClassSubjectInput(UpdateInput):
    id: strawberry.ID = node_id(classes.ClassSubject, "What is taught.")
    teacher_id: strawberry.ID | None = node_id(teachers.Teacher, "Who teaches it; null: nobody.", optional=True)


@strawberry.input(description="What is no longer to be taught in a class.")
class RemoveClassSubjectInput(MutationInput):
    id: strawberry.ID = node_id(classes.ClassSubject, "What is taught.")


@strawberry.input(description="That a teacher can teach a subject.")
class AddTeacherSubjectInput(MutationInput):
    teacher_id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")
    subject_id: strawberry.ID = node_id(subjects.Subject, "The subject.")


@strawberry.input(description="That a teacher can no longer teach a subject.")
class RemoveTeacherSubjectInput(MutationInput):
    teacher_id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")
    subject_id: strawberry.ID = node_id(subjects.Subject, "The subject.")


_ADMIN = Capability.MANAGE_SCHOOL


@strawberry.type
class ClassMutations:
    create_class = mutation(
        _ADMIN, CreateClassInput, require_active_teacher(create_action("classes", "class_")), description="Makes a class.", class_=_CLASS
    )
    update_class = mutation(
        _ADMIN, UpdateClassInput, require_active_teacher(update_action("classes", "class_")), description="Changes a class.", class_=_CLASS
    )
    create_class_subject = mutation(
        _ADMIN,
        CreateClassSubjectInput,
        require_active_teacher(create_action("class_subjects", "class_subject")),
        description="Has a subject taught in a class in a semester.",
        class_subject=_LESSON,
    )
    update_class_subject = mutation(
        _ADMIN,
        UpdateClassSubjectInput,
        require_active_teacher(update_action("class_subjects", "class_subject")),
        description="Gives a subject of a class to another teacher. The one who had it no longer sees the class by it.",
        class_subject=_LESSON,
    )
    remove_class_subject = mutation(
        _ADMIN,
        RemoveClassSubjectInput,
        remove_class_subject,
        description="Takes back that a subject is taught in a class, as long as nothing was assessed in it.",
        deleted_id=DELETED,
    )
    add_teacher_subject = mutation(
        _ADMIN, AddTeacherSubjectInput, add_teacher_subject, description="Notes that a teacher can teach a subject.", teacher=_TEACHER
    )
    remove_teacher_subject = mutation(
        _ADMIN,
        RemoveTeacherSubjectInput,
        remove_teacher_subject,
        description="Notes that a teacher can no longer teach a subject.",
        teacher=_TEACHER,
    )
