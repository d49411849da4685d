"""How the server is: for probes, dashboards, and the `systemHealth` field. Plain routes; knows no GraphQL."""
