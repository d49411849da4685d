"""What payment gateways told, for who keeps the accounts."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry

from auth.capabilities import Capability
from db.sql_catalog import queries
from resolvers import gateway_events
from resolvers.writing.gateway_events import dismiss_gateway_event, retry_gateway_event
from schema.connections import Listing, optional, order_input, root_connection
from schema.inputs import IdempotentInput, must, node_id
from schema.mutations import mutation, payload_node
from schema.nodes import Node, node

__all__ = ["GatewayEvent", "GatewayEventMutations", "GatewayEventQueries"]


@strawberry.enum(description="What became of a gateway's event.")
class GatewayEventState(Enum):
    BOOKED = strawberry.enum_value("BOOKED", description="It is in the books.")
    REPEATED = strawberry.enum_value("REPEATED", description="Another event had told of the same payment: nothing was left to do.")
    FAILED = strawberry.enum_value("FAILED", description="It could not be booked: somebody has to look.")
    DISMISSED = strawberry.enum_value("DISMISSED", description="Somebody looked, and laid it aside.")


@node(gateway_events.GatewayEvent, gateway_events.gateway_event_by_id)
@strawberry.type(description="What a payment gateway told: kept once, however often it was sent.")
class GatewayEvent(Node):
    gateway: str = strawberry.field(description="Which gateway.")
    event_id: str = strawberry.field(description="The gateway's id of the event.")
    event_type: str = strawberry.field(description="What the gateway calls it.")
    gateway_id: str = strawberry.field(description="The gateway's id of the payment, or of the refund.")
    amount: Decimal = strawberry.field(description="How much was paid; of a refund, how much of the payment was paid back in all by then.")
    currency: str = strawberry.field(description="ISO 4217 code of its currency.")
    state: GatewayEventState = strawberry.field(description="What became of it.")
    problem: str | None = strawberry.field(description="Why it could not be booked, or was laid aside.")
    received_at: datetime = strawberry.field(description="When it first came.")
    updated_at: datetime = strawberry.field(description="When its state last changed.")


@strawberry.enum(description="What gateways' events may be sorted by.")
class GatewayEventOrderField(Enum):
    RECEIVED_AT = strawberry.enum_value("received_at", description="When it first came.")


@strawberry.input(description="Which events.")
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


@strawberry.input(description="An event that could not be booked.")
class RetryGatewayEventInput(IdempotentInput):
    id: strawberry.ID = node_id(gateway_events.GatewayEvent, "The event.")


@strawberry.input(description="An event that could not be booked, and will not be.")
class DismissGatewayEventInput(IdempotentInput):
    id: strawberry.ID = node_id(gateway_events.GatewayEvent, "The event.")
    reason: str = must("Why, at most 300 characters.", multiline=True)


_EVENT = payload_node(gateway_events.gateway_event_by_id, "The event as it is now.")


@strawberry.type
class GatewayEventQueries:
    gateway_events = root_connection(
        GATEWAY_EVENTS, Capability.MANAGE_MONEY, description="What payment gateways told, latest first. Those that failed wait for you."
    )


@strawberry.type
class GatewayEventMutations:
    retry_gateway_event = mutation(
        Capability.MANAGE_MONEY,
        RetryGatewayEventInput,
        retry_gateway_event,
        scope="retryGatewayEvent",
        description="Tries again to book a gateway's event; look at its `state` and `problem` for what came of it. A payment that is booked takes"
        " with it the refunds of it that came too early.",
        gateway_event=_EVENT,
    )
    dismiss_gateway_event = mutation(
        Capability.MANAGE_MONEY,
        DismissGatewayEventInput,
        dismiss_gateway_event,
        scope="dismissGatewayEvent",
        description="Lays a gateway's event aside that could not be booked.",
        gateway_event=_EVENT,
    )
