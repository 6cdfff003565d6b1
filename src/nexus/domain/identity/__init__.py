"""Who takes part: companies, their people, families."""
