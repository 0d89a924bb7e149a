#!/bin/sh
# Creates .venv from requirements.lock and sees to the system libraries WeasyPrint needs.
set -eu
PYTHON="${PYTHON:-python3}"

"$PYTHON" - <<'CHECK' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
CHECK

if command -v uv >/dev/null 2>&1; then
    [ -x .venv/bin/python ] || uv venv --quiet --python "$PYTHON" .venv
    VIRTUAL_ENV="$PWD/.venv" uv pip install --quiet -r requirements.lock
    VIRTUAL_ENV="$PWD/.venv" uv pip install --quiet --no-deps -e .
else
    [ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
fi

PACKAGES="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
if .venv/bin/python -W ignore -c "import weasyprint" >/dev/null 2>&1 && ldconfig -p 2>/dev/null | grep -q libharfbuzz-subset; then
    exit 0
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES >/dev/null
fi
if ! .venv/bin/python -W ignore -c "import weasyprint" >/dev/null 2>&1; then
    echo "PDF rendering needs Pango and HarfBuzz, which are not installed. Install them and run again:" >&2
    echo "  Debian, Ubuntu:  sudo apt-get install $PACKAGES" >&2
    echo "  Fedora:          sudo dnf install pango harfbuzz dejavu-sans-fonts" >&2
    echo "  macOS:           brew install pango" >&2
    exit 1
fi
