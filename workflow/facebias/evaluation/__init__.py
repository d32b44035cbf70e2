"""How well a model does, for whom, and how sure one can be: arithmetic on counts per subject."""
