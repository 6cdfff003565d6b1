"""What every use case shares: the ports for time, ids and transactions, and who is asking."""
