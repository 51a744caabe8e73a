#!/bin/sh
# Make .venv from nothing: a suitable Python, the hash-locked requirements, torch, the package.
set -eu
cd "$(dirname "$0")/.."

suitable() { "$1" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; }
python=""
for each in ${PYTHON:-} python3.11 python3 python "$HOME"/.pyenv/versions/3.11*/bin/python; do
    if suitable "$each"; then python=$each; break; fi
done
if [ -z "$python" ]; then
    echo "unroll: no Python 3.11 with venv found. Install it (Debian: apt-get install python3.11-venv; anywhere:" \
         "uv python install 3.11), or name one: make PYTHON=/path/to/python3.11" >&2
    exit 2
fi

rm -rf .venv
"$python" -m venv .venv
pip="./.venv/bin/python -m pip --disable-pip-version-check"
echo "unroll: installing the locked requirements into .venv (once, a few minutes)"
# setuptools and wheel first: one requirement is a source distribution, built without isolation
grep -A4 -E '^(setuptools|wheel)==' requirements.lock | grep -E '^(setuptools|wheel)==|^    --hash' > .venv/build.lock
$pip install --quiet --require-hashes --no-deps -r .venv/build.lock
$pip install --quiet --require-hashes --no-deps --no-build-isolation -r requirements.lock
$pip install --quiet torch==2.13.0
$pip install --quiet --no-deps --no-build-isolation --editable .
echo 'export MLFLOW_DISABLE_TELEMETRY=true' >> .venv/bin/activate
touch .venv/.ready
