"""What a reader gets first: a page in plain words, and tables for print."""
