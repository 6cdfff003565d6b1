"""
An in-memory twin of every port: for simulation, fast tests and examples.

The contract suites in ``tests/contracts`` run over these and over PostgreSQL.
"""
