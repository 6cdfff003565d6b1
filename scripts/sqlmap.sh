#!/bin/sh
# Let sqlmap loose on the filters and searches of a running development installation (`make run`).
#
# Signs in as the demo world's people, gives sqlmap each address with a value in every parameter, and
# fails if it finds one that reaches SQL. Without sqlmap it says so and succeeds. So many requests are
# not what an account may send: start with NEXUS_RATE_LIMIT_PER_ACCOUNT=0.
#
#   scripts/sqlmap.sh [http://127.0.0.1:8000]
set -eu

base=${1:-http://127.0.0.1:8000}
level=${SQLMAP_LEVEL:-3}
risk=${SQLMAP_RISK:-2}
seconds=${SQLMAP_SECONDS:-600}

command -v sqlmap >/dev/null || {
    echo "sqlmap is not installed (Debian: apt install sqlmap): skipped" >&2
    exit 0
}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

token() {
    python3 - "$base" "$1" <<'PYTHON'
import json, sys, urllib.request

base, email = sys.argv[1:]
body = json.dumps({"email": email, "password": "picnic-by-the-lake"}).encode()
asked = urllib.request.Request(f"{base}/api/v1/auth/sign-in", body, {"content-type": "application/json"})
with urllib.request.urlopen(asked) as answer:
    print(json.load(answer)["token"])
PYTHON
}

try() { # whose token, path, query with * wherever sqlmap is to write
    echo "GET $2"
    timeout "$seconds" sqlmap -u "$base/api/v1$2?$3" -H "Authorization: Bearer $1" \
        --batch --level "$level" --risk "$risk" --dbms PostgreSQL --threads 4 --flush-session \
        --ignore-code 400,404,409,422 --skip-waf --disable-coloring \
        --output-dir "$out" >"$out/log" 2>&1 || tested=$?
    [ "${tested:-0}" -eq 0 ] || {
        echo "sqlmap ended with ${tested}: 124 means that $seconds s were not enough" >&2
        tail -n 5 "$out/log" >&2
        exit 1
    }
    if grep -q "429 (Too Many Requests)" "$out/log"; then
        echo "the rates stop sqlmap: start with NEXUS_RATE_LIMIT_PER_ACCOUNT=0 make run" >&2
        exit 1
    fi
    if grep -qE "is vulnerable|appears to be .* injectable|following injection point" "$out/log"; then
        grep -E "vulnerable|injectable|injection point" "$out/log" >&2
        exit 1
    fi
    grep -q "do not appear to be injectable" "$out/log" || {
        echo "sqlmap did not test it:" >&2
        tail -n 5 "$out/log" >&2
        exit 1
    }
    echo "  $(grep -cE 'testing .(PostgreSQL|Generic|AND|OR|Boolean|HAVING)' "$out/log") tests, nothing found"
}

parent=$(token parent@demo.example)
try "$parent" /activities 'q=clay*&category=sports*&time_of_day=morning*&tags=indoor*&near=60601*&sort=soonest*'
try "$parent" /activities 'child_id=*&age=7*&from=2026-01-01*&to=2027-01-01*&max_credits=5*&available=true*&within_minutes=30*&limit=5*&cursor=*'
try "$parent" /bookings 'status=confirmed*&upcoming=true*&limit=5*&cursor=*'
