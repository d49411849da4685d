"""Tests how the flow of a request is identified before its viewer is authenticated."""

from transport.flow_keys import provisional_flow


def test_an_early_flow_is_a_token_or_else_a_network():
    def token(value):
        return provisional_flow({"headers": [(b"authorization", value)], "client": ("192.0.2.1", 1)})

    def address(value):
        return provisional_flow({"headers": [], "client": (value, 1)})

    assert token(b"Bearer a") == token(b"bearer a") == token(b" BEARER   a ") != token(b"Bearer b")
    assert address("192.0.2.1") == address("::ffff:192.0.2.1") != address("192.0.2.2")
    assert address("2001:db8::1") == address("2001:db8::ffff:2%eth0") != address("2001:db8:0:1::1")
    assert address("not an address") == "not an address"
    assert provisional_flow({"headers": [], "client": None}) is None
