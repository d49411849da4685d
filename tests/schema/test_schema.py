"""Tests the schema as clients see it."""

from decimal import Decimal

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, is_introspection_type

from execution.costs import PAGE
from tests.graphql_school import SCHEMA


def named_types():
    return [each for each in SCHEMA._schema.type_map.values() if not is_introspection_type(each)]


def test_every_type_field_argument_and_enum_value_has_a_description():
    missing = []
    for each in named_types():
        if each.name in ("String", "Int", "Float", "Boolean", "ID"):
            continue
        if not each.description:
            missing.append(each.name)
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in each.fields.items():
                missing += [f"{each.name}.{name}"] if not field.description else []
                missing += [f"{each.name}.{name}({argument}:)" for argument, given in field.args.items() if not given.description]
        if isinstance(each, GraphQLInputObjectType):
            missing += [f"{each.name}.{name}" for name, field in each.fields.items() if not field.description]
        if isinstance(each, GraphQLEnumType):
            missing += [f"{each.name}.{name}" for name, value in each.values.items() if not value.description]
    # A node is found by the argument that its field's description speaks of.
    assert [name for name in missing if not name.endswith(("(id:)", "(input:)", "(studentNumber:)"))] == []


def test_every_list_that_can_grow_is_a_bounded_connection():
    """Checks that lists that are not connections are listed here, because they are always short."""
    short = {
        "Query.nodes", "Query.search", "Student.balances", "MachineHealth.loadAverage", "DatabaseHealth.largestTables", "DatabaseHealth.mostUsedIndexes",
        "ServiceToken.scopes", "School.schoolDays", "Attendance.overruledMarks", "SubmitRegisterPayload.changes", "SubmitRegisterPayload.notMarked",
        "PromotionPreview.rows", "Query.attendanceBreakdown", "Class.attendanceBreakdown", "Student.attendanceBreakdown",
        "BooksCheck.rules", "StudentAsOf.classHistory", "StudentAsOf.balances", "StudentAsOf.finalGrades", "StudentAsOf.attendance", "BooksRule.exampleIds",
        "GradingScale.bounds", "Explanation.steps", "SemesterReport.subjects", "Class.semesterReports", "RecordGradesPayload.changes",
        "PostFinalGradesPayload.postings", "CreateGradingScalePayload.warnings", "UpdateGradingScalePayload.warnings",
        "ChargePreview.rows", "ChargeRow.warnings", "CreateChargesPayload.charges", "RecordPaymentPayload.charges", "Student.statements", "Statement.entries",
    }  # fmt: skip
    for each in named_types():
        if not isinstance(each, GraphQLObjectType) or each.name.endswith("Connection"):
            continue
        for name, field in each.fields.items():
            if "[" in str(field.type) and name != "userErrors":
                assert f"{each.name}.{name}" in short, f"{each.name}.{name}"
            if str(field.type).rstrip("!").endswith("Connection"):
                default, cap = field.extensions["strawberry-definition"].metadata[PAGE]
                assert 0 < default <= cap <= 500


def test_edges_that_can_be_hidden_are_nullable():
    for each in named_types():
        if not isinstance(each, GraphQLObjectType):
            continue
        for name, field in each.fields.items():
            if str(field.type).rstrip("!") in (
                "Student",
                "Guardian",
                "User",
                "Grade",
                "Charge",
                "Assessment",
                "Attendance",
            ) and not each.name.endswith("Edge"):
                assert not str(field.type).endswith("!"), f"{each.name}.{name}"


async def test_money_is_written_in_its_currencys_smallest_unit(demo):
    data = await demo.data(
        "{ charges(first: 50) { nodes { amount balance paidTotal currency transactions { nodes { amount } } } } feeCategories { nodes { defaultAmount } }"
        " students(first: 20) { nodes { balances { charged balance overdue } } } }"
    )
    texts = [text for node in data["charges"]["nodes"] for text in (node["amount"], node["balance"], node["paidTotal"])]
    texts += [each["amount"] for node in data["charges"]["nodes"] for each in node["transactions"]["nodes"]]
    texts += [each for node in data["students"]["nodes"] for balance in node["balances"] for each in balance.values()]
    assert len(texts) > 100
    assert all(-Decimal(text).as_tuple().exponent == 2 for text in texts)


async def test_a_students_balance_is_what_the_charges_say(demo):
    data = await demo.data(
        "{ students(first: 50) { nodes { balances { balance } charges(first: 100) { nodes { balance status isOverdue dueDate } } } } }"
    )
    for node in data["students"]["nodes"]:
        total = sum(Decimal(each["balance"]) for each in node["charges"]["nodes"])
        assert sum(Decimal(each["balance"]) for each in node["balances"]) == total


async def test_excused_and_unexcused_are_all_absences(demo):
    query = "{ students(first: 200) { nodes { attendanceSummary { days present absent late leftEarly partial absences excusedAbsences unexcusedAbsences rate } } } }"
    for node in (await demo.data(query))["students"]["nodes"]:
        summary = node["attendanceSummary"]
        if summary is None:
            continue
        assert summary["excusedAbsences"] + summary["unexcusedAbsences"] == summary["absences"] == summary["absent"]
        assert sum(summary[name] for name in ("present", "absent", "late", "leftEarly", "partial")) == summary["days"]
        assert 0 <= Decimal(summary["rate"]) <= 100


async def test_filters_leave_what_they_say(demo):
    data = await demo.data(
        "{ absent: attendance(filter: {fullyPresent: false}, first: 100) { nodes { status } } excused: attendance(filter: {excused: true}, first: 50) { nodes { excused } }"
        " failing: grades(filter: {failing: true}, first: 50) { nodes { percentage letter } } unscored: grades(filter: {scored: false}, first: 50) { nodes { state score } }"
        ' overdue: charges(filter: {isOverdue: true}, first: 50) { nodes { isOverdue status } } people: students(filter: {namePrefix: "al"}, first: 50) { nodes { lastName } } }'
    )  # fmt: skip
    assert all(node["status"] != "PRESENT" for node in data["absent"]["nodes"])
    assert all(node["excused"] for node in data["excused"]["nodes"])
    assert all(Decimal(node["percentage"]) < 60 for node in data["failing"]["nodes"])
    assert all(node["state"] != "SCORED" and node["score"] is None for node in data["unscored"]["nodes"])
    assert all(node["isOverdue"] for node in data["overdue"]["nodes"])
    assert all(node["lastName"].lower().replace("á", "a").startswith("al") for node in data["people"]["nodes"])
    assert all(each["nodes"] for each in data.values())


async def test_overdue_is_decided_by_the_schools_clock(demo):
    """Checks that a charge that is due today is not overdue in the school's time zone, whatever the time is elsewhere."""
    today = await demo.value("SELECT (now() AT TIME ZONE (SELECT time_zone FROM school_settings))::date")
    assert await demo.value("SELECT school_today()") == today
    for days, overdue in ((0, False), (-1, True), (1, False)):
        charge = await demo.id(
            "chg",
            "INSERT INTO payments (student_id, fee_category_id, academic_year_id, due_date, amount, currency) SELECT s.id, f.id, y.id, school_today() + $1::integer, 10, 'EUR'"
            " FROM students s, fee_categories f, academic_years y LIMIT 1 RETURNING id",
            days,
        )
        assert (await demo.data("query ($id: ID!) { charge(id: $id) { isOverdue } }", id=charge))["charge"]["isOverdue"] is overdue
