"""What README.md is told of the benchmark."""

from __future__ import annotations

import pytest
from bench import readme


def test_figures_take_the_place_of_those_before_them() -> None:
    first = readme.put_into("# Name\n\nText.\n", "one\n")
    assert first.startswith("# Name\n\nText.\n\n## ")
    second = readme.put_into(first + "\n## Further\n", "two\n")
    assert "one" not in second
    assert second.replace("two", "one") == first + "\n## Further\n"


@pytest.mark.parametrize("found", [{"quick": True}, {"quick": False, "engine": {}}])
def test_a_part_of_a_run_is_not_told(found: dict[str, object]) -> None:
    with pytest.raises(readme.NoFigures, match="make bench"):
        readme.figures(found)
