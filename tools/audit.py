# ruff: noqa: INP001 - a program by itself
"""Are known vulnerabilities in what requirements.lock installs? `make audit`; needs the network.

Asks pip-audit (Apache-2.0), fetched for the occasion. Without an advisory service it says so and
succeeds: a machine without the network has no news, not bad news.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
PATIENCE_S = 60


def main() -> int:
    """Ask, say what was found, and return the exit status."""
    asked = ["-r", str(LOCK), "--require-hashes", "--disable-pip", "--timeout", "10"]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            [*_auditor(), *asked, "--format", "json", "--progress-spinner", "off"],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        status, words = verdict(json.loads(done.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired):
        status, words = 0, "skipped: pip-audit or its advisory service cannot be reached"
    sys.stdout.write(f"audit: {words}\n")
    return status


def _auditor() -> list[str]:
    if shutil.which("uv"):
        return ["uv", "tool", "run", "--from", "pip-audit", "pip-audit"]
    return ["pipx", "run", "pip-audit"]


def verdict(report: dict) -> tuple[int, str]:
    """Exit status and words for a report of pip-audit."""
    packages = report["dependencies"]
    audited = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {fault['id']}, mended in "
        f"{', '.join(fault['fix_versions']) or 'no version yet'}"
        for package in audited
        for fault in package["vulns"]
    ]
    if not audited:
        return 0, f"skipped: the advisory service knows none of {len(packages)} packages"
    if found:
        return 1, "\n  ".join([f"{len(found)} known vulnerabilities", *found])
    return 0, f"no known vulnerability in {len(audited)} of {len(packages)} packages"


if __name__ == "__main__":
    sys.exit(main())
