"""What the points of the cost limit are worth: the milliseconds of every field on the school-scale data set, and the outliers among them."""
