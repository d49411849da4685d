"""Events that payment gateways sent."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["GatewayEvent", "gateway_event_by_id"]


class GatewayEvent(Row):
    __slots__ = ()
    type_name = "GatewayEvent"
    tag = "gwe"


gateway_event_by_id = by_key(queries.gateway_events, GatewayEvent)
