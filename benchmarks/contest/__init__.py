"""The same three screens, answered by different servers: who is how fast, in one run, with equal answers."""
