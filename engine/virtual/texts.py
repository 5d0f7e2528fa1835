"""What recorded prompts say, read from the `prompts.yaml` that lies beside them."""

from __future__ import annotations

from pathlib import Path

import yaml


class Texts:
    """Texts by file. A folder's list is read once and again when it has changed."""

    def __init__(self) -> None:
        self._folders: dict[Path, tuple[int, dict[str, str]]] = {}

    def of(self, path: Path) -> dict[str, str]:
        """`prompt`, the name, and `text` where the prompt's words are known."""
        text = self._folder(path.parent).get(path.stem)
        return {"prompt": path.stem} | ({"text": text} if text else {})

    def _folder(self, folder: Path) -> dict[str, str]:
        listing = folder / "prompts.yaml"
        try:
            changed = listing.stat().st_mtime_ns
        except OSError:
            return {}
        known = self._folders.get(folder)
        if known is None or known[0] != changed:
            known = (changed, _read(listing))
            self._folders[folder] = known
        return known[1]


def _read(listing: Path) -> dict[str, str]:
    try:
        content = yaml.safe_load(listing.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {str(name): " ".join(value.split()) for name, value in content.items() if isinstance(value, str)}
