"""Reports the health of the server to probes, dashboards and the `systemHealth` field. Serves plain HTTP routes; knows no GraphQL."""
