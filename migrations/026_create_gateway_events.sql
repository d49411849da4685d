-- What payment gateways told, each event once, and what became of it.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE gateway_events (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    gateway text NOT NULL,
    event_id text NOT NULL,
    event_type text NOT NULL,
    -- What the event is about: the payment, or the refund, by the gateway's id.
    gateway_id text NOT NULL,
    state text NOT NULL DEFAULT 'FAILED',
    problem text,
    facts jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT gateway_events_gateway_event_id_key UNIQUE (gateway, event_id),
    CONSTRAINT gateway_events_state_check CHECK (state IN ('BOOKED', 'REPEATED', 'FAILED', 'DISMISSED')),
    CONSTRAINT gateway_events_problem_check CHECK (state IN ('BOOKED', 'REPEATED') OR problem IS NOT NULL)
);

-- Two events may tell of one payment: it is booked for one of them.
CREATE UNIQUE INDEX gateway_events_booked_key ON gateway_events (gateway, gateway_id) WHERE state = 'BOOKED';

CREATE TRIGGER gateway_events_touch BEFORE UPDATE ON gateway_events FOR EACH ROW EXECUTE FUNCTION touch_row();
SELECT audit_table('gateway_events');
