"""Published results beside ours: tables of papers as data, recomputed, audited and compared."""
