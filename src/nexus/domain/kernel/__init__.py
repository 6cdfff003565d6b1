"""The few ideas that every context shares: errors, ids, instants, money, events."""
