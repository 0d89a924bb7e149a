#!/bin/sh
# Takes the README's pictures from a running demo: `make demo`, then `make pictures`.
# Needs chromium and pdftoppm; few colours keep the files small.
set -eu
OUT=docs/pictures
mkdir -p "$OUT"
URL="http://127.0.0.1:${PORT:-3000}"
PROFILE=$(mktemp -d)
trap 'kill "$UI" 2>/dev/null || true; rm -rf "$PROFILE"' EXIT

# The first visit would show a greeting over the picture.
mkdir -p .billing/dagster/.nux && echo "seen: 1" > .billing/dagster/.nux/nux.yaml
.venv/bin/billing dev --port "${PORT:-3000}" >/dev/null 2>&1 &
UI=$!
for _ in $(seq 90); do
    .venv/bin/python -c "import urllib.request as u; u.urlopen('$URL/server_info', timeout=2)" 2>/dev/null && break
    sleep 1
done
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
    --disable-background-networking --disable-component-update --user-data-dir="$PROFILE" \
    --window-size=1500,900 --virtual-time-budget=20000 --hide-scrollbars \
    --screenshot="$OUT/assets.png" "$URL/assets/accounting_handoff?view=lineage&lineageScope=upstream&lineageDepth=10" >/dev/null 2>&1
INVOICE=$(ls .billing/documents/northlink/*.pdf | head -1)
pdftoppm -png -r 60 -singlefile "$INVOICE" "$OUT/invoice"
for BRAND in northlink datastrom ringwell; do
    pdftoppm -png -r 60 -singlefile "$(ls .billing/documents/$BRAND/*.pdf | tail -1)" "$PROFILE/$BRAND"
done
.venv/bin/python - "$PROFILE" <<'BRANDS'
import sys
from pathlib import Path
from PIL import Image
pages = [Image.open(Path(sys.argv[1]) / f"{name}.png") for name in ("northlink", "datastrom", "ringwell")]
side = Image.new("RGB", (sum(p.width + 10 for p in pages) + 10, max(p.height for p in pages) + 20), "#e1e4e8")
left = 10
for page in pages:
    side.paste(page, (left, 10))
    left += page.width + 10
side.save("docs/pictures/brands.png")
BRANDS
.venv/bin/python - <<'SHRINK'
from pathlib import Path
from PIL import Image
for path in Path("docs/pictures").glob("*.png"):
    Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)
SHRINK
