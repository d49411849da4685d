"""python -m db.seed --scale demo|school|district: fills an empty database."""

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
    parser = argparse.ArgumentParser(prog="python -m db.seed", description="Fills an empty database with a made-up school.")
    parser.add_argument("--scale", choices=SCALES, default="demo")
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        default=load_settings().seed_date or datetime.now().astimezone().date(),
        help="the school's today, YYYY-MM-DD",
    )
    given = parser.parse_args()
    if load_settings().environment == "production":  # before anything is started or migrated
        raise ProductionError("ENVIRONMENT is production, and the made-up school's accounts have a password that is public")
    with database_url(load_settings(), say=lambda text: print(text, file=sys.stderr)) as url:
        migrate(url, say=lambda text: print(text, file=sys.stderr))
        print(f"Seeding the {given.scale} school as of {given.date} …", flush=True)
        seed(url, given.scale, given.date, say=lambda text: print(text, flush=True))


with exit_on_error("seed", MigrationError, NotEmptyError):
    main()
