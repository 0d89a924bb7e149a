"""Budget 6: how long people and workers wait before anything happens."""

import os
import subprocess
import sys
import time

COMMANDS = {
    "billing --help": "import sys; sys.argv = ['billing', '--help']; "
    "from billing_pipeline.cli import main; main()",
    "import of definitions": "import billing_pipeline.definitions",
}
_ROUNDS = 5


def seconds_to_start(code: str) -> float:
    """The best of a few fresh interpreters; the first compiles what is not compiled yet."""
    return min(_once(code) for _ in range(_ROUNDS))


def _once(code: str) -> float:
    keeps_compiled = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    started = time.perf_counter()
    subprocess.run(  # noqa: S603 - this interpreter, our own code
        [sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=keeps_compiled
    )
    return time.perf_counter() - started
