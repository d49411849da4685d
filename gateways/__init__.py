"""Payment gateways: what they tell over HTTP, verified and turned into events of one form. They decide nothing about the books."""
