"""The settings: one frozen object, the environment read once. docs/settings.md is printed from it."""

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

__all__ = ["ConfigurationError", "Settings", "load_settings"]

# Secrets that stood in this repository: anybody can sign with them.
_PUBLIC_SECRETS = frozenset({"rollcall-development-secret-not-for-production"})
VERSION = "0.1.0"


class ConfigurationError(Exception):
    """The environment does not make a configuration. The message names every setting that is wrong."""


class Settings(BaseSettings):
    """Every setting, with its default. The name in the environment is the field's name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str | None = Field(
        None, description="PostgreSQL 15 or later, as `postgresql://…`. Not set: an embedded PostgreSQL under `DATA_DIR`."
    )
    direct_database_url: str | None = Field(
        None,
        description="The same database without PgBouncer in between: for migrations, and for listening to revocations. Not set: `DATABASE_URL`.",
    )
    pgbouncer: bool = Field(False, description="`DATABASE_URL` leads to a PgBouncer in transaction mode.")
    data_dir: Path = Field(Path(".data"), description="Where the embedded PostgreSQL keeps its data.")
    demo_data: bool | None = Field(
        None, description="Fill an empty database with the demo school. Not set: only the embedded one, and not in production."
    )
    seed_date: date | None = Field(None, description="The day that seeded data is as of, YYYY-MM-DD. Not set: today.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(5000, ge=0, le=65535, description="The port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="How many server processes; each has a pool of its own.")
    environment: Literal["development", "test", "production"] = Field(
        "development", description="`production` refuses default secrets, hides the schema from all but administrators, and logs JSON."
    )
    explorer: bool | None = Field(
        None, description="Serve the explorer, a page to try queries on, at `/explorer`. Not set: yes, but not in production."
    )
    secret_key: str | None = Field(
        None,
        min_length=32,
        repr=False,
        description="Signs access tokens; 32 characters or more, the same for every server of a school. Must be set in production."
        " Not set: a random one, made once and kept in `DATA_DIR`.",
    )
    secret_key_previous: str | None = Field(
        None, min_length=32, repr=False, description="The secret before `SECRET_KEY`: tokens that it signed are good until they expire."
    )
    stripe_webhook_secrets: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        repr=False,
        description="Signing secrets of Stripe's webhook endpoint (`whsec_…`), separated by commas: two while one takes the place of another."
        " Not set: `POST /webhooks/stripe` answers 503.",
    )
    pool_max_size: int = Field(25, ge=1, le=1000, description="How many connections a worker opens at most.")
    pool_min_size: int = Field(5, ge=0, le=1000, description="How many connections a worker keeps warm.")
    pool_idle_seconds: float = Field(60, gt=0, description="How long a connection above the minimum may be idle before it is closed.")
    pool_acquire_seconds: float = Field(10, gt=0, description="How long a request waits for a connection before it is told `POOL_TIMEOUT`.")
    query_seconds: float = Field(30, gt=0, description="How long a statement may run, on the client and on the server.")
    connect_seconds: float = Field(10, gt=0, description="How long opening a connection may take.")
    drain_seconds: int = Field(20, ge=0, description="How long requests may take to finish after SIGTERM.")
    drain_notice_seconds: float = Field(
        2, ge=0, description="How long `/health/ready` says `draining` after SIGTERM before the server stops listening."
    )
    header_seconds: float = Field(
        10,
        gt=0,
        description="How long a client may take to send the head of a request, from connecting on: it gets 408, and the connection is closed.",
    )
    body_seconds: float = Field(15, gt=0, description="How long a client may take to send the body of a request: it gets 408.")
    idle_seconds: float = Field(
        75, gt=0, description="How long a connection may wait for its next request; more than a proxy's own time keeps 502s away."
    )
    send_seconds: float = Field(
        15, gt=0, description="How long a client may leave its answer lie: it must take 1 KiB a second, or the connection is dropped."
    )
    max_url_bytes: int = Field(65_536, ge=1024, description="The longest address of a request (414).")
    max_header_bytes: int = Field(
        65_536, ge=1024, description="The largest headers of a request, its trailers, and the framing of its chunks (431, 413)."
    )
    max_connections: int = Field(
        2_000,
        ge=10,
        description="How many connections a worker keeps open: beyond, an idle one makes room, or one whose request is not whole, of the network with"
        " the most of them first.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), description="Origins of browsers that may call, separated by commas.")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, separated by commas."
    )
    max_body_bytes: int = Field(262_144, ge=1024, description="The largest request body.")
    max_tokens: int = Field(2_000, ge=10, description="How many tokens a document may have: it is not parsed beyond.")
    max_depth: int = Field(12, ge=1, description="How deep fields may be nested.")
    max_aliases: int = Field(30, ge=0, description="How many aliases an operation may use.")
    max_root_fields: int = Field(30, ge=1, description="How many root fields an operation may select.")
    max_cost: int = Field(50_000, ge=1, description="The highest cost of an operation: see docs/limits.md.")
    cost_per_minute: int = Field(
        1_000_000,
        ge=0,
        description="What the operations of one viewer may cost in a minute, in each worker; of clients without a token, those of one network."
        " 0: no such budget.",
    )
    expensive_cost: int = Field(
        12_000,
        ge=1,
        description="An operation that costs more is expensive: only a few of these run at once. Signing in (10,000) has bounds of its own.",
    )
    expensive_operations: int = Field(2, ge=1, le=100, description="How many expensive operations a worker runs at once; others wait.")
    expensive_wait_seconds: float = Field(
        15, gt=0, description="How long an expensive operation waits at most before it is refused as `OVERLOADED` (503)."
    )
    max_answer_bytes: int = Field(16_777_216, ge=65_536, description="The largest answer to an operation; beyond it: `ANSWER_TOO_LARGE`.")
    max_in_flight: int | None = Field(
        None,
        ge=1,
        description="How many operations a worker runs at once; the others wait their turn. Not set: `POOL_MAX_SIZE`."
        " What waits elsewhere, for its turn at signing in for example, does not count.",
    )
    queue_seconds: float = Field(
        3,
        gt=0,
        description="How long an operation waits for its turn at most before it is refused as `OVERLOADED` (503)."
        " While much waits, what would have to wait for over half a second is refused at once.",
    )
    max_fields: int = Field(3_000, ge=1, description="How many fields an operation may select, fragments written out.")
    anonymous_max_body_bytes: int = Field(
        32_768, ge=1024, description="The largest request body without an `Authorization` header, and the longest parameters in an address."
    )
    anonymous_max_characters: int = Field(8_192, ge=100, description="How long a document of a client without a token may be.")
    anonymous_max_tokens: int = Field(500, ge=10, description="How many tokens a document of a client without a token may have.")
    anonymous_max_fields: int = Field(
        300, ge=1, description="How many fields an operation of a client without a token may select, fragments written out."
    )
    anonymous_max_cost: int = Field(
        15_000,
        ge=1,
        description="The highest cost of an operation of a client without a token. Signing in costs 10,000; the schema is not counted, where it is shown.",
    )
    executor: Literal["breadth_first", "graphql_core"] = Field(
        "breadth_first",
        description="What runs operations: `breadth_first` resolves each field for all its parents at once; `graphql_core` one by one.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged, from this level on.")

    @field_validator("cors_origins", "trusted_proxies", "stripe_webhook_secrets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("database_url", "direct_database_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        problems = []
        if self.environment == "production" and self.secret_key is None:
            problems.append("SECRET_KEY must be set in production, to 32 characters or more that nobody can guess")
        for name, value in (("SECRET_KEY", self.secret_key), ("SECRET_KEY_PREVIOUS", self.secret_key_previous)):
            if value in _PUBLIC_SECRETS:
                problems.append(f"{name} must not be a secret that everybody can read: anybody could sign with it")
        if self.environment == "production" and self.demo_data:
            problems.append("DEMO_DATA must not be set in production: its administrator's password stands in the README")
        if self.pool_min_size > self.pool_max_size:
            problems.append("POOL_MIN_SIZE must not be above POOL_MAX_SIZE")
        if self.pgbouncer and not self.direct_database_url:
            problems.append("PGBOUNCER needs DIRECT_DATABASE_URL, which migrations and revocations use")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def serves_explorer(self) -> bool:
        return self.environment != "production" if self.explorer is None else self.explorer

    @property
    def direct_url(self) -> str | None:
        return self.direct_database_url or self.database_url


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The settings from the environment, read once. Raises ConfigurationError that names every wrong setting."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for each in error.errors():
            name = ".".join(str(part) for part in each["loc"]).upper()
            lines.append(f"{name}: {each['msg']}" if name else each["msg"].removeprefix("Value error, "))
        raise ConfigurationError("\n".join(lines)) from None
