#!/bin/sh
# Make the virtual environment $1 from requirements.lock: exactly what is locked, checked by hash.
#
# pip 22.3 and later can install into another environment, which saves the
# seconds that copying pip into it takes; older ones get a plain environment.
set -eu

venv=$1
python=${PYTHON:-python3}
root=$(pwd -P)

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Nexus needs Python 3.11 or later; $python is $("$python" -V 2>&1). Try: make PYTHON=python3.11" >&2
    exit 1
}

echo "Setting up $venv (about 20 s, only this once) ..."
rm -rf "$venv"
modern='import pip; v = pip.__version__.split("."); raise SystemExit((int(v[0]), int(v[1])) < (22, 3))'
if "$python" -c "$modern" 2>/dev/null; then
    "$python" -m venv --without-pip "$venv"
    set -- "$python" -m pip --python "$venv/bin/python"
else
    "$python" -m venv "$venv"
    set -- "$venv/bin/python" -m pip
fi
"$@" --disable-pip-version-check install --quiet --no-compile --no-warn-script-location \
    --root-user-action=ignore --require-hashes --only-binary :all: -r requirements.lock

site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$root/src" >"$site/nexus.pth"
cat >"$venv/bin/nexus" <<SCRIPT
#!/bin/sh
exec "$root/$venv/bin/python" -m nexus "\$@"
SCRIPT
chmod +x "$venv/bin/nexus"

echo "$root" >"$venv/.root"
cp requirements.lock "$venv/.ready"
