"""Events of payment gateways, for the bursar."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry

from auth.capabilities import Capability
from db.sql_catalog import queries
from resolvers import gateway_events
from resolvers.writing.gateway_events import dismiss_gateway_event, retry_gateway_event
from schema.connections import Listing, optional, order_input, root_connection
from schema.inputs import IdempotentInput, node_id, required
from schema.mutations import mutation, payload_node
from schema.nodes import Node, node
from schema.roots import mutation_fields, query_fields

__all__ = ["GatewayEvent", "GatewayEventMutations", "GatewayEventQueries"]


@strawberry.enum(description="The state of a gateway event.")
class GatewayEventState(Enum):
    BOOKED = strawberry.enum_value("BOOKED", description="The event has been booked.")
    REPEATED = strawberry.enum_value(
        "REPEATED", description="The payment had already been booked for another event, so there was nothing to do."
    )
    FAILED = strawberry.enum_value("FAILED", description="The event could not be booked and needs to be reviewed.")
    DISMISSED = strawberry.enum_value("DISMISSED", description="The event was reviewed and dismissed.")


@node(gateway_events.GatewayEvent, gateway_events.gateway_event_by_id)
@strawberry.type(description="An event sent by a payment gateway; stored once, however often it is delivered.")
class GatewayEvent(Node):
    gateway: str = strawberry.field(description="The gateway.")
    event_id: str = strawberry.field(description="The gateway's id for the event.")
    event_type: str = strawberry.field(description="The gateway's name for the type of event.")
    gateway_id: str = strawberry.field(description="The gateway's id for the payment or refund.")
    amount: Decimal = strawberry.field(description="The amount paid; for a refund, the total amount refunded of the payment so far.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")
    state: GatewayEventState = strawberry.field(description="The state.")
    problem: str | None = strawberry.field(description="Why the event could not be booked, or was dismissed.")
    received_at: datetime = strawberry.field(description="When it was first received.")
    updated_at: datetime = strawberry.field(description="When its state last changed.")


@strawberry.enum(description="The fields by which gateway events can be sorted.")
class GatewayEventOrderField(Enum):
    RECEIVED_AT = strawberry.enum_value("received_at", description="When it was first received.")


@strawberry.input(description="Conditions for gateway events.")
class GatewayEventFilter:
    states: list[GatewayEventState] | None = optional("In one of these states.")


GATEWAY_EVENTS = Listing(
    queries.gateway_events,
    gateway_events.GatewayEvent,
    order_input("GatewayEvent", GatewayEventOrderField),
    GatewayEventOrderField.RECEIVED_AT,
    GatewayEventFilter,
    descending=True,
)


@strawberry.input(description="A failed event to retry.")
class RetryGatewayEventInput(IdempotentInput):
    id: strawberry.ID = node_id(gateway_events.GatewayEvent, "The event.")


@strawberry.input(description="A failed event to dismiss.")
class DismissGatewayEventInput(IdempotentInput):
    id: strawberry.ID = node_id(gateway_events.GatewayEvent, "The event.")
    reason: str = required("The reason, at most 300 characters.", multiline=True)


_EVENT = payload_node(gateway_events.gateway_event_by_id, "The event as it is now.")


@query_fields
class GatewayEventQueries:
    gateway_events = root_connection(
        GATEWAY_EVENTS,
        Capability.MANAGE_MONEY,
        description="The events of payment gateways, latest first. Failed events need to be reviewed.",
    )


@mutation_fields
class GatewayEventMutations:
    retry_gateway_event = mutation(
        Capability.MANAGE_MONEY,
        RetryGatewayEventInput,
        retry_gateway_event,
        scope="retryGatewayEvent",
        description="Tries again to book a failed gateway event; its `state` and `problem` show the result. Booking a payment also"
        " books refunds of it that arrived earlier.",
        gateway_event=_EVENT,
    )
    dismiss_gateway_event = mutation(
        Capability.MANAGE_MONEY,
        DismissGatewayEventInput,
        dismiss_gateway_event,
        scope="dismissGatewayEvent",
        description="Dismisses a gateway event that could not be booked.",
        gateway_event=_EVENT,
    )
