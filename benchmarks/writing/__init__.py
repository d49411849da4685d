"""What writing costs: registers and payments, over HTTP, on a copy of the district school."""
