"""Tests which roles may run each mutation, against a table written by hand, and that a refused mutation changes nothing."""

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull

from tests.access.nouns import NOUNS
from tests.graphql_school import SCHEMA

ADMIN = {"admin"}
MONEY = {"admin", "bursar"}
TEACHING = {"admin", "teacher"}
ALL = {"admin", "bursar", "teacher", "student", "guardian"}
NOBODY = {*ALL, "anonymous"}

# Mutations of the session itself are tested in tests/auth.
PUBLIC = {"signIn", "refreshSession", "resetPassword"}
MAY = {
    **dict.fromkeys(
        [
            "createSubject",
            "updateSubject",
            "createAssessmentType",
            "updateAssessmentType",
            "createFeeCategory",
            "updateFeeCategory",
            "updateSchool",
            "createAcademicYear",
            "updateAcademicYear",
            "createSemester",
            "updateSemester",
            "createHoliday",
            "updateHoliday",
            "deleteHoliday",
            "createPeriod",
            "updatePeriod",
            "deletePeriod",
            "createClass",
            "updateClass",
            "createClassSubject",
            "updateClassSubject",
            "removeClassSubject",
            "addTeacherSubject",
            "removeTeacherSubject",
            "createTeacher",
            "updateTeacher",
            "deactivateTeacher",
            "reactivateTeacher",
            "createGuardian",
            "updateGuardian",
            "deactivateGuardian",
            "reactivateGuardian",
            "linkGuardian",
            "unlinkGuardian",
            "createUser",
            "updateUser",
            "deactivateUser",
            "reactivateUser",
            "createStudent",
            "updateStudent",
            "deactivateStudent",
            "reenrollStudent",
            "moveStudent",
            "issuePasswordReset",
            "createServiceToken",
            "revokeServiceToken",
            "endSessions",
        ],
        ADMIN,
    ),
    "submitRegister": TEACHING,
    **dict.fromkeys(
        [
            "createAssessment",
            "updateAssessment",
            "publishAssessment",
            "unpublishAssessment",
            "deleteAssessment",
            "recordGrades",
            "postFinalGrades",
        ],
        TEACHING,
    ),
    **dict.fromkeys(["createGradingScale", "updateGradingScale", "reopenGrades"], ADMIN),
    "correctAttendance": ADMIN,
    "applyPromotion": ADMIN,
    **dict.fromkeys(["updateOwnContact", "changePassword", "signOut", "endSession"], ALL),
    **dict.fromkeys(
        [
            "createCharges",
            "cancelCharge",
            "updateCharge",
            "recordPayment",
            "refundPayment",
            "waiveCharge",
            "correctPayment",
            "retryGatewayEvent",
            "dismissGatewayEvent",
        ],
        MONEY,
    ),
    **{mutation: roles for each in NOUNS for mutation, roles in each.writers.items()},
}

MUTATIONS = SCHEMA._schema.mutation_type.fields


def example(kind, ids):
    """Returns a value of an input type that is valid GraphQL."""
    if isinstance(kind, GraphQLNonNull):
        return example(kind.of_type, ids)
    if isinstance(kind, GraphQLList):
        return [example(kind.of_type, ids)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: example(field.type, ids) for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
    return {
        "ID": "stu_" + "0" * 32, "String": "x", "Int": 1, "Boolean": True, "Date": "2026-03-18", "DateTime": "2026-03-18T10:00:00Z",
        "Time": "10:00:00", "Decimal": "1", "UUID": "00000000-0000-7000-8000-000000000000",
    }[kind.name]  # fmt: skip


def test_the_table_names_every_mutation():
    for name in sorted(set(MUTATIONS) - MAY.keys() - PUBLIC):
        pytest.fail(
            f"nothing says which roles may call {name}: name them in MAY, or in `writers` of the noun's NOUN (tests/nouns/test_<noun>.py)"
        )
    assert set(MAY) | PUBLIC == set(MUTATIONS)


@pytest.mark.parametrize("name", sorted(MAY))
async def test_who_may_not_is_refused_and_leaves_no_trace(writable, name):
    field = MUTATIONS[name]
    given = {argument: example(each.type, {}) for argument, each in field.args.items() if isinstance(each.type, GraphQLNonNull)}
    declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in given)
    passed = ", ".join(f"{argument}: ${argument}" for argument in given)
    query = f"mutation {f'({declared})' if declared else ''} {{ {name}{f'({passed})' if passed else ''} {{ __typename }} }}"
    traces = "SELECT (SELECT count(*) FROM audit_logs), (SELECT count(*) FROM idempotency_keys)"
    before = await writable.database.fetchrow(traces)
    for role in sorted(NOBODY - MAY[name]):
        answer = await writable.ask(query, None if role == "anonymous" else f"{role}@demo.school", **given)
        assert answer.codes == ["UNAUTHENTICATED" if role == "anonymous" else "FORBIDDEN"], role
        assert not answer.data, role
    assert await writable.database.fetchrow(traces) == before


@pytest.mark.parametrize("name", sorted(set(MAY) - {"signOut", "changePassword"}))
async def test_who_may_is_not_refused(writable, name):
    """Checks that allowed roles are not refused, without which the previous test could not fail. Invalid examples are user errors."""
    field = MUTATIONS[name]
    given = {argument: example(each.type, {}) for argument, each in field.args.items() if isinstance(each.type, GraphQLNonNull)}
    declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in given)
    query = f"mutation ({declared}) {{ {name}({', '.join(f'{argument}: ${argument}' for argument in given)}) {{ __typename }} }}"
    for role in sorted(MAY[name]):
        answer = await writable.ask(query, f"{role}@demo.school", **given)
        assert not {"FORBIDDEN", "UNAUTHENTICATED", "INTERNAL_SERVER_ERROR"} & set(answer.codes), (role, answer.errors)
