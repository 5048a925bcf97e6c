"""Carries data_manifests/ into the built package, as mer_tf/data_manifests. Everything else stands in setup.cfg."""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithManifests(build_py):
    """An editable install needs no copy: it reads the folder where it stands."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            copytree("data_manifests", Path(self.build_lib) / "mer_tf" / "data_manifests", dirs_exist_ok=True)

    def get_source_files(self) -> list[str]:
        """What a source distribution holds."""
        return [*super().get_source_files(), *map(str, Path("data_manifests").iterdir())]


setup(cmdclass={"build_py": BuildWithManifests})
