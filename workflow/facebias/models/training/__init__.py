"""Training of one model: the loop and what it is made of."""
