"""YAML as people write it here: flows, calendars, the demo company.

YAML 1.1 has surprises that hours and menus run straight into: `12:30` is the number 750, `010` is 8, `no` is false. Read
here, a whole number is digits without a leading zero, true and false are the only truth values, and all else is text. A
key that stands twice is refused, for the second would silently replace the first.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from dialplan.errors import DocumentInvalid

LARGEST = 4_000_000
"""Characters; a flow of 2,000 nodes has some 500,000."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own name for it

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            # References let a small text grow without bound; nothing we write has them.
            event: yaml.AliasEvent = self.get_event()  # type: ignore[no-untyped-call]
            raise DocumentInvalid(f"write the value out, or quote it: * is a reference{event.start_mark}")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int):
                raise yaml.constructor.ConstructorError(None, None, "a key is a word or a number", key_node.start_mark)
            if str(key) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
            seen.add(str(key))
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]{0,17})$"), list("-0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$"), list("-0123456789")
)


def read(text: str) -> Any:
    """The document's content. DocumentInvalid names the line of what cannot be read."""
    if len(text) > LARGEST:
        raise DocumentInvalid(f"the document has {len(text)} characters; {LARGEST} is the most")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise DocumentInvalid(" ".join(str(error).split())) from error


def write(content: Any) -> str:
    """The YAML of plain content (mappings, lists, texts, numbers), in its order; `read` gives the same back."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True
