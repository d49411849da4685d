"""How each noun is listed: what it may be sorted and filtered by. Apart from the types, which lead to each other in circles."""
