"""Which files of a project use which others: imports, includes and what else one text says of another.

An edge leads from a file to one that a reader of it would open next. It takes two steps:

1. ``outline`` reads one text, and nothing else: what the file declares for others and what it imports, as written.
2. ``edges`` has the outlines of all files of a project, and finds out which file each import means.

So the first is done once per text, for any number of projects, and the second needs no text. Nothing is run, and what
build files and package managers know (search paths, aliases, names of modules) is inferred from the project's files, or
left out: an edge too few costs less than one to a file that has nothing to do with its user.

Languages that import each other are one family, and a module with the same three names: ``LANGUAGES``, ``outline`` and
``edges``. The families are C with C++, Objective-C and CUDA (``c``); C# (``csharp``); Go (``go``); Java with Kotlin,
Scala and Groovy (``java``); JavaScript with TypeScript (``javascript``); PHP (``php``); Python (``python``); Ruby
(``ruby``); Rust (``rust``). What they share is in ``declared`` (names with packages and namespaces), ``nearest`` (of
several files the nearest), ``folders`` and ``nodes``. For a new family, add its module to the table below.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from codemill.core import trees
from codemill.core.imports import c, csharp, go, java, javascript, php, python, ruby, rust
from codemill.core.imports.source import Outline, Source
from codemill.core.languages import Language

__all__ = ["LANGUAGES", "Outline", "Source", "edges", "outline"]


class _Family(Protocol):
    LANGUAGES: tuple[str, ...]

    def outline(self, tree: trees.Tree, language: str) -> Outline: ...

    def edges(self, sources: Sequence[Source]) -> Iterator[tuple[int, int]]: ...


_FAMILIES: tuple[_Family, ...] = (c, csharp, go, java, javascript, php, python, ruby, rust)
_FAMILY_OF = {language: family for family in _FAMILIES for language in family.LANGUAGES}

LANGUAGES = tuple(_FAMILY_OF)
"""All languages that have a family, by the names of the language table."""


def outline(text: str, language: Language) -> Outline:
    """Return what a text declares and imports; nothing in a language without a family or without a grammar.

    Raises Unparsable as `trees.parse` does.
    """
    family = _FAMILY_OF.get(language.name)
    if family is None or language.grammar is None:
        return Outline((), ())
    return family.outline(trees.parse(text, language.grammar), language.name)


def edges(sources: Sequence[Source]) -> list[tuple[int, int]]:
    """Return (user, used), as indexes into the files of one project, which may be in any languages.

    Sorted, each once, none from a file to itself. Which files they join does not depend on the order of the sources.
    """
    members: dict[_Family, list[int]] = {}
    for index, source in enumerate(sources):
        if (family := _FAMILY_OF.get(source.language)) is not None:
            members.setdefault(family, []).append(index)
    return sorted(
        (indexes[user], indexes[used])
        for family, indexes in members.items()
        for user, used in family.edges([sources[index] for index in indexes])
    )
