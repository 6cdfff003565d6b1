"""Run servers on a folder, say where they are, and wait to be killed: `python supervised.py FOLDER`."""

import json
import sys
import time
from pathlib import Path

from nexus.adapters.embedded import EmbeddedServers

with EmbeddedServers(Path(sys.argv[1])) as servers:
    pids = [servers.postgres.pid, servers.valkey.pid]
    print(json.dumps([servers.database_url, servers.redis_url, pids]), flush=True)
    while True:
        time.sleep(1)
