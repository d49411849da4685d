"""Loads a fictional school into an empty database: python -m db.seed --scale demo|school|district."""

import argparse
import sys
from datetime import date, datetime

from config import load_settings
from db.cli import exit_on_error
from db.embedded import database_url
from db.migrate import MigrationError, migrate
from db.production import ProductionError
from db.seed.runner import SCALES, NotEmptyError, seed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m db.seed", description="Loads a fictional school into an empty database.")
    parser.add_argument("--scale", choices=SCALES, default="demo")
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        default=load_settings().seed_date or datetime.now().astimezone().date(),
        help="the date that the school's data is generated for, YYYY-MM-DD",
    )
    given = parser.parse_args()
    if load_settings().environment == "production":  # before anything is started or migrated
        raise ProductionError("ENVIRONMENT is production, and the accounts of the fictional school have a public password")
    with database_url(load_settings(), say=lambda text: print(text, file=sys.stderr)) as url:
        migrate(url, say=lambda text: print(text, file=sys.stderr))
        print(f"Seeding the {given.scale} school as of {given.date} …", flush=True)
        seed(url, given.scale, given.date, say=lambda text: print(text, flush=True))


with exit_on_error("seed", MigrationError, NotEmptyError):
    main()
