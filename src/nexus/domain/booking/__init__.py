"""Places in sessions: who gets one, on what terms, and who waits for one."""
