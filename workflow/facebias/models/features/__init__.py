"""Features of a frozen network: computed once per data set and architecture, and kept on disk."""
