"""How each type is listed: the fields to sort by and the filters. Separate from the types, which refer to each other's lists."""
