"""Static pages, all assets local."""
