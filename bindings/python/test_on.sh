#!/usr/bin/env bash
# The tests of the package on another Python: test_on.sh PYTHON WHEELS. What they say of the README and the wheel is the same on each.
set -euo pipefail
python=$1 wheels=$2
version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
echo "== The package on Python $version"
venv=$CARGO_TARGET_DIR/python/venv-$version
[ -e "$venv/.installed" ] || {
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --require-virtualenv -r requirements-tests.txt
    touch "$venv/.installed"
}
"$venv/bin/pip" install --quiet --no-deps --force-reinstall "$wheels"/*.whl
"$venv/bin/python" -m pytest --numprocesses 3 --quiet --ignore tests/test_readme.py --ignore tests/test_wheel.py
