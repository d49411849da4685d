"""Defines the settings: one frozen object, read once from the environment. docs/settings.md is printed from it."""

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
    """Raised when the environment is not a valid configuration. The message names every setting that is wrong."""


class Settings(BaseSettings):
    """Every setting, with its default. The name in the environment is the field's name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str | None = Field(
        None,
        description="URL of the database, PostgreSQL 15 or later, as `postgresql://…`. If not set, an embedded PostgreSQL in `DATA_DIR` is used.",
    )
    direct_database_url: str | None = Field(
        None,
        description="URL of the same database without PgBouncer, for migrations and for listening to revocations. Defaults to `DATABASE_URL`.",
    )
    pgbouncer: bool = Field(False, description="Whether `DATABASE_URL` leads to a PgBouncer in transaction mode.")
    data_dir: Path = Field(Path(".data"), description="Directory of the embedded PostgreSQL's data.")
    demo_data: bool | None = Field(
        None,
        description="Whether to fill an empty database with the demo school. Defaults to true for the embedded database, except in production.",
    )
    seed_date: date | None = Field(None, description="Current day of the seeded school, as YYYY-MM-DD. Defaults to today.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(5000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="Number of server processes. Each has its own connection pool.")
    environment: Literal["development", "test", "production"] = Field(
        "development",
        description="Kind of installation. `production` refuses default secrets, shows the schema to administrators only, and logs JSON.",
    )
    explorer: bool | None = Field(
        None,
        description="Whether to serve the explorer, a page for trying out queries, at `/explorer`. Defaults to true, except in production.",
    )
    secret_key: str | None = Field(
        None,
        min_length=32,
        repr=False,
        description="Secret that signs access tokens: at least 32 characters, the same for every server of a school. Required in production."
        " If not set, a random secret is generated once and stored in `DATA_DIR`.",
    )
    secret_key_previous: str | None = Field(
        None, min_length=32, repr=False, description="Previous value of `SECRET_KEY`. Tokens that it signed are valid until they expire."
    )
    stripe_webhook_secrets: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        repr=False,
        description="Signing secrets of Stripe's webhook endpoint (`whsec_…`), separated by commas: two while one replaces the other."
        " If not set, `POST /webhooks/stripe` answers 503.",
    )
    pool_max_size: int = Field(25, ge=1, le=1000, description="Maximum number of database connections per worker.")
    pool_min_size: int = Field(5, ge=0, le=1000, description="Number of database connections that a worker keeps open.")
    pool_idle_seconds: float = Field(60, gt=0, description="Seconds after which an idle database connection above the minimum is closed.")
    pool_acquire_seconds: float = Field(
        10, gt=0, description="Seconds that a request waits for a database connection before it fails with `POOL_TIMEOUT`."
    )
    query_seconds: float = Field(30, gt=0, description="Time limit for a statement in seconds, enforced by the client and by PostgreSQL.")
    connect_seconds: float = Field(10, gt=0, description="Time limit for opening a database connection, in seconds.")
    drain_seconds: int = Field(20, ge=0, description="Seconds that running requests have to finish after SIGTERM.")
    drain_notice_seconds: float = Field(
        2, ge=0, description="Seconds for which `/health/ready` reports `draining` after SIGTERM before the server stops listening."
    )
    header_seconds: float = Field(
        10,
        gt=0,
        description="Seconds that a client has to send the head of a request, from connecting on. Beyond that it gets 408, and the connection is closed.",
    )
    body_seconds: float = Field(15, gt=0, description="Seconds that a client has to send the body of a request. Beyond that it gets 408.")
    idle_seconds: float = Field(
        75,
        gt=0,
        description="Seconds that a connection may wait for its next request. Set it to more than a proxy's own limit to avoid 502 responses.",
    )
    send_seconds: float = Field(
        15,
        gt=0,
        description="Seconds over which a client must read its response at 1 KiB per second or more. Otherwise the connection is dropped.",
    )
    max_url_bytes: int = Field(65_536, ge=1024, description="Maximum length of a request's URL (414).")
    max_header_bytes: int = Field(
        65_536, ge=1024, description="Maximum size of a request's headers, of its trailers, and of its chunk framing (431, 413)."
    )
    max_connections: int = Field(
        2_000,
        ge=10,
        description="Maximum number of client connections per worker. A further one displaces an idle connection, or one whose request is incomplete,"
        " beginning with the network that has the most.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins from which browsers may send requests, separated by commas."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted, separated by commas."
    )
    max_body_bytes: int = Field(262_144, ge=1024, description="Maximum size of a request body.")
    max_tokens: int = Field(2_000, ge=10, description="Maximum number of tokens in a document. Longer documents are not parsed.")
    max_depth: int = Field(12, ge=1, description="Maximum depth of nested fields.")
    max_aliases: int = Field(30, ge=0, description="Maximum number of aliases in an operation.")
    max_root_fields: int = Field(30, ge=1, description="Maximum number of root fields in an operation.")
    max_cost: int = Field(50_000, ge=1, description="Maximum cost of an operation (docs/limits.md).")
    cost_per_minute: int = Field(
        1_000_000,
        ge=0,
        description="Maximum cost per minute of one viewer's operations in each worker, or of all clients without a token in one network."
        " 0 disables the budget.",
    )
    expensive_cost: int = Field(
        12_000,
        ge=1,
        description="Cost above which an operation is expensive. Only a few of these run at the same time. Signing in (10,000) has its own limits.",
    )
    expensive_operations: int = Field(
        2, ge=1, le=100, description="Number of expensive operations that a worker runs at the same time. Others wait."
    )
    expensive_wait_seconds: float = Field(
        15, gt=0, description="Seconds that an expensive operation waits before it is refused as `OVERLOADED` (503)."
    )
    max_answer_bytes: int = Field(
        16_777_216, ge=65_536, description="Maximum size of the response to an operation. Larger ones fail with `ANSWER_TOO_LARGE`."
    )
    max_in_flight: int | None = Field(
        None,
        ge=1,
        description="Number of operations that a worker runs at the same time. Others wait. Defaults to `POOL_MAX_SIZE`."
        " Operations that wait elsewhere, for example for their turn to sign in, are not counted.",
    )
    queue_seconds: float = Field(
        3,
        gt=0,
        description="Seconds that an operation waits for its turn before it is refused as `OVERLOADED` (503)."
        " When the queue is long, operations that would have to wait for more than half a second are refused at once.",
    )
    max_fields: int = Field(3_000, ge=1, description="Maximum number of fields in an operation, with fragments expanded.")
    anonymous_max_body_bytes: int = Field(
        32_768, ge=1024, description="Maximum size of a request body without an `Authorization` header, and of the parameters in a URL."
    )
    anonymous_max_characters: int = Field(
        8_192, ge=100, description="Maximum number of characters in a document of a client without a token."
    )
    anonymous_max_tokens: int = Field(500, ge=10, description="Maximum number of tokens in a document of a client without a token.")
    anonymous_max_fields: int = Field(
        300, ge=1, description="Maximum number of fields in an operation of a client without a token, with fragments expanded."
    )
    anonymous_max_cost: int = Field(
        15_000,
        ge=1,
        description="Maximum cost of an operation of a client without a token. Signing in costs 10,000. Introspection, where it is permitted, is not charged.",
    )
    executor: Literal["breadth_first", "graphql_core"] = Field(
        "breadth_first",
        description="Executor of operations: `breadth_first` resolves each field for all its parents at once, `graphql_core` for one parent at a time.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Minimum level of log messages.")

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
    """Returns the settings from the environment, which is read once. Raises ConfigurationError, which names every wrong setting."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for each in error.errors():
            name = ".".join(str(part) for part in each["loc"]).upper()
            lines.append(f"{name}: {each['msg']}" if name else each["msg"].removeprefix("Value error, "))
        raise ConfigurationError("\n".join(lines)) from None
