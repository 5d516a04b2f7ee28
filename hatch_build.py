"""Put the handouts, and of `assignments/` nothing else, into what is published."""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the handouts and the datasets.

    A wheel has each handout and the public part of its manifest in `dlquiz/_course/SLUG/`, the datasets in
    `dlquiz/_datasets/`; a source archive has of `assignments/` what that wheel is made from.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to add. An assignment in the middle of an edit is left out with a warning."""
        self._made = tempfile.TemporaryDirectory(prefix="dlquiz-build-")
        if version == "editable":
            return
        root = Path(self.root)
        include = build_data["force_include"]
        for manifest in sorted(root.glob("assignments/*/assignment.toml")):
            try:
                include |= self._assignment(manifest)
            except (OSError, KeyError, TypeError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                self.app.display_warning(f"assignments/{manifest.parent.name} is left out: {error!r}")
        if self.target_name == "wheel" and (root / "datasets" / "README.md").is_file():
            # the scripts that made the files stay in the checkout
            include |= {
                str(file): f"dlquiz/_datasets/{file.relative_to(root / 'datasets').as_posix()}"
                for file in sorted((root / "datasets").rglob("*"))
                if file.is_file() and file.suffix not in (".py", ".pyc")
            }

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made for the build."""
        self._made.cleanup()

    def _assignment(self, manifest: Path) -> dict[str, str]:
        sys.path.insert(0, self.root)
        try:
            from grader.assignment import handout_names, public_part
        finally:
            sys.path.remove(self.root)
        slug = manifest.parent.name
        public = public_part(slug, tomllib.loads(manifest.read_text(encoding="utf-8")))
        files = {name: manifest.parent / "handout" / name for name in handout_names(public["submit"])}
        for name, file in files.items():
            if not file.is_file() or Path(name).name != name:
                raise FileNotFoundError(f"no handout/{name}")
        if self.target_name == "sdist":
            files = {**{f"handout/{name}": file for name, file in files.items()}, manifest.name: manifest}
            return {str(file): f"assignments/{slug}/{name}" for name, file in files.items()}
        files["assignment.json"] = Path(self._made.name, f"{slug}.json")
        files["assignment.json"].write_text(
            json.dumps(public, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        return {str(file): f"dlquiz/_course/{slug}/{name}" for name, file in files.items()}
