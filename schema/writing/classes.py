"""Mutations of classes and lessons, for administrators."""

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, classes, subjects, teachers
from resolvers.writing.calendar import remove_class_subject
from resolvers.writing.crud import create_action, update_action
from resolvers.writing.teacher_subjects import add_teacher_subject, remove_teacher_subject, require_active_teacher
from schema.inputs import CreateInput, MutationInput, UpdateInput, node_id, optional, required
from schema.mutations import mutation, payload_node
from schema.roots import mutation_fields
from schema.writing.calendar import DELETED

__all__ = ["ClassMutations"]

_CLASS = payload_node(classes.class_by_id, "The class as it is now.")
_LESSON = payload_node(classes.class_subject_by_id, "The lesson as it is now.")
_TEACHER = payload_node(teachers.teacher_by_id, "The teacher as they are now.")


@strawberry.input(description="A class of an academic year.")
class CreateClassInput(CreateInput):
    academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year.")
    name: str = required("The display name, such as 7b.")
    grade_level: int = required("The grade level, from 0 (kindergarten) to 13.")
    section: str = required("The section within the grade level.")
    teacher_id: strawberry.ID | None = node_id(teachers.Teacher, "The homeroom teacher.", optional=True)
    room: str | None = optional("The homeroom.")
    capacity: int | None = optional("The maximum number of students. Unlimited by default.")


@strawberry.input(description="Changes to a class.")
class UpdateClassInput(UpdateInput):
    id: strawberry.ID = node_id(classes.Class, "The class.")
    name: str | None = optional("The display name.")
    grade_level: int | None = optional("The grade level.")
    section: str | None = optional("The section within the grade level.")
    teacher_id: strawberry.ID | None = node_id(teachers.Teacher, "The homeroom teacher; null for none.", optional=True)
    room: str | None = optional("The homeroom.")
    capacity: int | None = optional("The maximum number of students; null for no limit.")
    is_active: bool | None = optional("Whether the class is active.")


@strawberry.input(description="A lesson: a subject that is taught in a class in a semester.")
class CreateClassSubjectInput(CreateInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    subject_id: strawberry.ID = node_id(subjects.Subject, "The subject.")
    semester_id: strawberry.ID = node_id(academic_years.Semester, "A semester of the class's year.")
    teacher_id: strawberry.ID | None = node_id(teachers.Teacher, "The teacher. None by default.", optional=True)


@strawberry.input(description="The teacher of a subject in a class.")
class UpdateClassSubjectInput(UpdateInput):
    id: strawberry.ID = node_id(classes.ClassSubject, "The subject.")
    teacher_id: strawberry.ID | None = node_id(teachers.Teacher, "The teacher; null for none.", optional=True)


@strawberry.input(description="The lesson to remove.")
class RemoveClassSubjectInput(MutationInput):
    id: strawberry.ID = node_id(classes.ClassSubject, "The subject.")


@strawberry.input(description="A subject that a teacher can teach.")
class AddTeacherSubjectInput(MutationInput):
    teacher_id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")
    subject_id: strawberry.ID = node_id(subjects.Subject, "The subject.")


@strawberry.input(description="A subject that a teacher can no longer teach.")
class RemoveTeacherSubjectInput(MutationInput):
    teacher_id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")
    subject_id: strawberry.ID = node_id(subjects.Subject, "The subject.")


_ADMIN = Capability.MANAGE_SCHOOL


@mutation_fields
class ClassMutations:
    create_class = mutation(
        _ADMIN, CreateClassInput, require_active_teacher(create_action("classes", "class_")), description="Creates a class.", class_=_CLASS
    )
    update_class = mutation(
        _ADMIN, UpdateClassInput, require_active_teacher(update_action("classes", "class_")), description="Updates a class.", class_=_CLASS
    )
    create_class_subject = mutation(
        _ADMIN,
        CreateClassSubjectInput,
        require_active_teacher(create_action("class_subjects", "class_subject")),
        description="Adds a subject to those taught in a class in a semester.",
        class_subject=_LESSON,
    )
    update_class_subject = mutation(
        _ADMIN,
        UpdateClassSubjectInput,
        require_active_teacher(update_action("class_subjects", "class_subject")),
        description="Assigns a subject of a class to another teacher. The previous teacher no longer sees the class because of it.",
        class_subject=_LESSON,
    )
    remove_class_subject = mutation(
        _ADMIN,
        RemoveClassSubjectInput,
        remove_class_subject,
        description="Removes a subject from those taught in a class, provided it has no assessments.",
        deleted_id=DELETED,
    )
    add_teacher_subject = mutation(
        _ADMIN, AddTeacherSubjectInput, add_teacher_subject, description="Adds a subject to those a teacher can teach.", teacher=_TEACHER
    )
    remove_teacher_subject = mutation(
        _ADMIN,
        RemoveTeacherSubjectInput,
        remove_teacher_subject,
        description="Removes a subject from those a teacher can teach.",
        teacher=_TEACHER,
    )
