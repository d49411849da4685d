"""Receives the webhooks of payment gateways, verifies them, and converts them to one event type. Makes no decisions about bookings."""
