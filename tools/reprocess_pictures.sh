#!/bin/sh
# Takes the pictures of docs/reprocess-a-month.md: walks the guide on a small demo in a folder of its own.
# sh tools/reprocess_pictures.sh; needs chromium and the environment of `make setup` (or BILLING, a command).
set -eu
OUT="$PWD/docs/pictures"
BILLING="${BILLING:-$PWD/.venv/bin/billing}"
PYTHON="${PICTURE_PYTHON:-$PWD/.venv/bin/python}"
PORT="${PORT:-3199}"
URL="http://127.0.0.1:$PORT"
WORK=$(mktemp -d)
chmod 755 "$WORK"
trap 'kill "$UI" 2>/dev/null || true; rm -rf "$WORK"' EXIT
cd "$WORK"

"$BILLING" demo run --events 600 >demo.log
mkdir -p .billing/dagster/.nux && echo "seen: 1" > .billing/dagster/.nux/nux.yaml
sed -i 's/amount: 149.00/amount: 139.00/' .billing/demo/tenants/ringwell/plans.yaml
"$BILLING" catalog apply .billing/demo/tenants/ringwell
"$BILLING" dev --port "$PORT" >dev.log 2>&1 &
UI=$!
for _ in $(seq 120); do
    "$PYTHON" -c "import urllib.request as u; u.urlopen('$URL/server_info', timeout=2)" 2>/dev/null && break
    sleep 1
done

"$PYTHON" - "$URL" <<'LAUNCH'
import json
import sys
import time
import urllib.request


def ask(query, **variables):
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{sys.argv[1]}/graphql", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=60))["data"]


nodes = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
[found] = ask(nodes)["repositoriesOrError"]["nodes"]
days = {"first_day": "2026-10-01", "last_day": "2026-10-31"}
run = {
    "selector": {"repositoryName": found["name"], "repositoryLocationName": found["location"]["name"], "jobName": "preview_reprocess"},
    "runConfigData": {"ops": {"reprocess_preview": {"config": days}}},
    "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "ringwell"}]},
}
launch = "mutation($run: ExecutionParams!) { launchRun(executionParams: $run) { ... on LaunchRunSuccess { run { runId } } } }"
run_id = ask(launch, run=run)["launchRun"]["run"]["runId"]
status = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
while ask(status, id=run_id)["runOrError"]["status"] not in ("SUCCESS", "FAILURE"):
    time.sleep(1)
LAUNCH

picture() {
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
        --disable-background-networking --disable-component-update --user-data-dir="$WORK/profile" \
        --window-size="1300,$3" --virtual-time-budget=20000 --hide-scrollbars \
        --screenshot="$OUT/$1.png" "$URL/$2" >/dev/null 2>&1
}
picture reprocess-preview "assets/reprocess_preview?view=partitions&partition=ringwell" 1100
"$BILLING" reprocess --tenant ringwell --from 2026-10-01 --until 2026-10-31 \
    --asked-by ann --approved-by ben --reason "the fee of October was wrong"
picture reprocess-rated "assets/rated_usage?view=partitions&default_range=%5B2026-10-01...2026-10-31%5D&partition=2026-10-05%7Cringwell" 760
"$PYTHON" - "$OUT" <<'SHRINK'
import sys
from pathlib import Path
from PIL import Image
for path in Path(sys.argv[1]).glob("reprocess-*.png"):
    Image.open(path).convert("RGB").quantize(32).save(path, optimize=True)
SHRINK
