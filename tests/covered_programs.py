"""Runs a program under coverage.py's C tracer, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["run_covered"]

_DRIVER = """\
import json, runpy, sys
from coverage import Coverage

data, options, *command = sys.argv[1:]
coverage = Coverage(data_file=data, config_file=False, messages=False, **json.loads(options))
coverage.set_option("run:core", "ctrace")
coverage.set_option("run:disable_warnings", ["no-sysmon"])
coverage.start()
sys.argv = command
sys.path[0] = ""
try:
    runpy.run_path(command[0], run_name="__main__")
finally:
    coverage.stop()
    coverage.save()
"""


def run_covered(
    program: str, *, cwd: Path, apart: Path, options: Mapping[str, object], env: dict[str, str]
) -> tuple[Path, str]:
    """coverage.py's data file and the program's output; it must end with status 0.

    `apart` is a folder for what the program should not see; `options` are `Coverage`'s.
    """
    driver, data = apart / "driver.py", apart / "coverage"
    driver.write_text(_DRIVER, encoding="utf-8")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "COV_", "PYTHON"))
    }
    ended = subprocess.run(
        [sys.executable, driver, data, json.dumps(options), program],
        cwd=cwd,
        env={**inherited, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return data, ended.stdout
