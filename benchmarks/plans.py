"""Lists the planner's cost estimate of every form of every statement on the district school, the most expensive first.

python -m benchmarks.plans [limit]
"""

import sys
from typing import Any

import psycopg

from auth.capabilities import NOUNS
from benchmarks.district_school import district
from tests.db.all_statements import all_statements

__all__ = ["main"]


def scans(plan: dict[str, Any]) -> list[str]:
    """Returns the tables for which a plan has a sequential scan."""
    own = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return own + [table for child in plan.get("Plans", []) for table in scans(child)]


def main() -> None:
    shown = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    with district() as url, psycopg.connect(url, autocommit=True) as connection:
        found = []
        for variant in all_statements(NOUNS):
            row = connection.execute(f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {variant.statement.sql}").fetchone()  # type: ignore[arg-type]
            plan = row[0][0]["Plan"] if row else {}
            found.append((plan["Total Cost"], str(variant), ", ".join(sorted(set(scans(plan))))))
        print(f"{len(found)} forms; the {shown} dearest without values in hand (generic plans):")
        for cost, name, tables in sorted(found, reverse=True)[:shown]:
            print(f"{cost:14.0f}  {name}" + (f"  (reads all of {tables})" if tables else ""))


if __name__ == "__main__":
    main()
