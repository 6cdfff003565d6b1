"""
A year in the life of companies, families and venues, simulated from a seed.

Steps are data (:mod:`tests.sim.steps`); :mod:`tests.sim.fate` chooses them,
:mod:`tests.sim.hands` carries them out through the use cases,
:mod:`tests.sim.judge` holds every change against the promises.
"""
