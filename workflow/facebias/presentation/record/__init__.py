"""What made a study's results: checksums, a record, an RO-Crate, and a card for every model."""
