"""Compiles the blocks in C when a wheel is built.

Without a compiler, or with WHOTESTS_BLOCKS=python in the environment, and for a Python without
the interpreter lock, the wheel has none: whotests then has its blocks in Python.
"""

import os
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

MODULE = "whotests.probes._blocks"
SOURCE = "src/whotests/probes/_blocks.c"
OLDEST = (3, 11)
"""Whose stable ABI it uses: one wheel for that and all later ones."""
GIL_DISABLED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


class BlocksInC(BuildHookInterface[Any]):
    """The build hook of pyproject.toml."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Puts the module in C into the wheel. It lies beside its source, too, where Python finds
        it when the package is installed to be edited, or run from its sources."""
        unwanted = os.environ.get("WHOTESTS_BLOCKS") == "python"
        try:
            compiled = "" if unwanted or GIL_DISABLED else self._compile()
        except (CCompilerError, BaseError, OSError) as error:
            self.app.display_warning(f"no C extension, so recording will cost more: {error}")
            compiled = ""
        if not compiled:
            for stale in Path(self.root, SOURCE).parent.glob("_blocks*.*"):
                if stale.suffix in (".so", ".pyd"):
                    stale.unlink(missing_ok=True)
            return
        # As the installer names this system; the tags of Linux distributions promise more.
        platforms = (tag.platform for tag in sys_tags())
        platform = next(
            name for name in platforms if not name.startswith(("manylinux", "musllinux"))
        )
        build_data["pure_python"] = False
        build_data["tag"] = f"cp{OLDEST[0]}{OLDEST[1]}-abi3-{platform}"
        build_data["artifacts"].append(f"/{compiled}")

    def _compile(self) -> str:
        macro = f"0x{OLDEST[0]:02x}{OLDEST[1]:02x}0000"
        extension = Extension(
            MODULE,
            [str(Path(self.root, SOURCE))],
            define_macros=[("Py_LIMITED_API", macro)],
            py_limited_api=True,
        )
        command = build_ext(Distribution({"name": "whotests", "ext_modules": [extension]}))
        package = Path(self.root, SOURCE).parent
        # Within the project, so that it is moved in one step: another build may be under way.
        with tempfile.TemporaryDirectory(dir=package, prefix=".build-") as folder:
            command.build_lib = command.build_temp = folder
            command.ensure_finalized()
            command.run()
            (compiled,) = command.get_outputs()
            place = package / Path(compiled).name
            os.replace(compiled, place)
        return str(place.relative_to(self.root))
