"""Grading scales. For administrators."""

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from db.row_writes import to_json
from db.sql_catalog import queries
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values
from resolvers.user_errors import UserError
from rules.decimals import decimals

__all__ = ["create_grading_scale", "update_grading_scale"]

# The id of no scale, so that all scales are reset.
_NO_SCALE = UUID(int=0)


async def create_grading_scale(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Creates a scale with its bounds. If it becomes the default, the previous one no longer is."""
    bounds = given.pop("bounds")
    errors = _bound_errors(bounds)
    if errors:
        raise Rejected(*errors, *await tx.broken_rules("grading_scales", {"name": given["name"]}))
    if given.get("is_default"):
        await tx.rows(queries.leave_default_scale, id=_NO_SCALE)
    scale = await tx.insert("grading_scales", given)
    await tx.rows(queries.replace_bounds, scale_id=scale, bounds=to_json(bounds))
    return {"grading_scale": scale, "warnings": _warnings(bounds)}


async def update_grading_scale(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Updates a scale; `bounds`, if given, replace all bounds. Averages follow, posted grades stay.

    Errors in the bounds are reported together with those of the scale.
    """
    scale, version, bounds = given.pop("id"), given.pop("version"), given.pop("bounds", None)
    errors = _bound_errors(bounds) if bounds is not None else []
    if given.get("is_default"):
        await tx.rows(queries.leave_default_scale, id=scale)
    elif bounds is not None and not given:
        # Bounds belong to the scale: writing its name gives it a new version.
        given["name"] = await tx.value(queries.name_of_scale, id=scale)
    try:
        await tx.update("grading_scales", scale, version, given, payload_field="grading_scale")
    except Rejected as broken:
        raise Rejected(*errors, *broken.errors, **broken.objects) from None
    if errors:
        raise Rejected(*errors)
    if bounds is not None:
        await tx.rows(queries.replace_bounds, scale_id=scale, bounds=to_json(bounds))
    return {"grading_scale": scale, "warnings": _warnings(bounds or [])}


def _bound_errors(bounds: list[Values]) -> list[UserError]:
    """Returns everything that is wrong with a scale's bounds. Source: a set of unique lower bounds that includes 0."""
    errors = []
    times = Counter(each["lower_bound"] for each in bounds)
    if Decimal(0) not in times:
        errors.append(UserError("bounds", "INVALID", "A grading scale needs a bound at 0, so that every percentage has a letter."))
    for n, each in enumerate(bounds):
        if not 0 <= each["lower_bound"] <= 999:
            errors.append(UserError(f"bounds.{n}.lowerBound", "INVALID", "The lower bound must be between 0 and 999."))
        elif decimals(each["lower_bound"]) > 3:
            errors.append(UserError(f"bounds.{n}.lowerBound", "INVALID", "The lower bound must have at most 3 decimals."))
        if times[each["lower_bound"]] > 1:
            errors.append(UserError(f"bounds.{n}.lowerBound", "TWICE", "The lower bound is given more than once."))
        if not 1 <= len(each["letter"]) <= 10:
            errors.append(UserError(f"bounds.{n}.letter", "INVALID", "The letter must have 1 to 10 characters and must not be blank."))
        if not 0 <= each["points"] < 100:
            errors.append(UserError(f"bounds.{n}.points", "INVALID", "The points must be between 0 and 99.99."))
        elif decimals(each["points"]) > 2:
            errors.append(UserError(f"bounds.{n}.points", "INVALID", "The points must have at most 2 decimals."))
    return errors


def _warnings(bounds: list[Values]) -> list[str]:
    """Returns warnings for what is allowed but unusual: a higher bound with fewer points."""
    rising = sorted(bounds, key=lambda each: each["lower_bound"])
    return [
        f"{high['letter']} from {high['lower_bound']} is worth fewer points than {low['letter']} from {low['lower_bound']}."
        for low, high in pairwise(rising)
        if high["points"] < low["points"]
    ]
