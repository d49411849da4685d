"""Authentication and authorization: identifies the viewer of a request and decides which capabilities they have."""
