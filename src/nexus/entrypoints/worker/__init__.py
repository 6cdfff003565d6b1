"""Background work: the relay that hands events over, the scheduler, the workers that handle them."""
