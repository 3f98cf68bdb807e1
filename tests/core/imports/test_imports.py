from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import imports, trees
from codemill.core.imports import Outline, Source, c, csharp, go, java, javascript, php, python, ruby, rust
from codemill.core.languages import Language, LanguageTable
from tests.core.imports.joined import joined

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[3] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)
_NOTHING = Outline((), ())
_FAMILIES = (c, csharp, go, java, javascript, php, python, ruby, rust)

_PROJECT = {
    "app/main.py": ("python", "from app import store\nimport render.page"),
    "app/store.py": ("python", ""),
    "lib/render/page.rb": ("ruby", "require 'app/store'\nrequire 'render/part'"),
    "lib/render/part.rb": ("ruby", ""),
    "native/store.c": ("c", '#include "store.h"'),
    "native/store.h": ("cpp", ""),
    "src/a/Store.kt": ("kotlin", "package a\nclass Store"),
    "src/a/Main.java": ("java", "package b;\nimport a.Store;\nclass Main {}"),
    "src/A/Store.cs": ("csharp", "namespace a; class Store {}"),
    "src/A/Main.cs": ("csharp", "using a; namespace b; class Main { Store store; }"),
    "web/main.ts": ("typescript", "import './part'; import './store'"),
    "web/part.js": ("javascript", ""),
    "web/store.php": ("php", "<?php class Store {}"),
    "web/main.php": ("php", "<?php new Store();"),
    "go/main.go": ("go", "package main\nfunc f() { g() }"),
    "go/store.go": ("go", "package main\nfunc g() {}"),
    "rust/src/lib.rs": ("rust", "mod store;"),
    "rust/src/store.rs": ("rust", ""),
    "web/store.json": ("json", '"./main"'),
    "README.md": ("markdown", "./web/main"),
    "main.bf": ("no_such_language", "+"),
}
_SOURCES = [
    Source(path, name, imports.outline(text, TABLE[name]) if name in TABLE.names else Outline(("Store",), ("./part",)))
    for path, (name, text) in _PROJECT.items()
]


def test_a_project_of_several_languages() -> None:
    assert joined(_SOURCES, imports.edges) == {
        ("app/main.py", "app/store.py"),
        ("lib/render/page.rb", "lib/render/part.rb"),
        ("native/store.c", "native/store.h"),
        ("src/a/Main.java", "src/a/Store.kt"),
        ("src/A/Main.cs", "src/A/Store.cs"),
        ("web/main.ts", "web/part.js"),
        ("web/main.php", "web/store.php"),
        ("go/main.go", "go/store.go"),
        ("rust/src/lib.rs", "rust/src/store.rs"),
    }


@given(st.permutations(_SOURCES))
@settings(max_examples=40, deadline=None)
def test_the_order_of_files_does_not_matter(shuffled: list[Source]) -> None:
    found = imports.edges(shuffled)
    assert found == sorted(set(found))
    assert joined(shuffled, imports.edges) == joined(_SOURCES, imports.edges)


def test_a_family_answers_for_its_languages_in_a_project_of_others() -> None:
    for family in _FAMILIES:
        own = [source for source in _SOURCES if source.language in family.LANGUAGES]
        assert joined(own, family.edges) == {
            (user, used) for user, used in joined(_SOURCES, imports.edges) if _PROJECT[user][0] in family.LANGUAGES
        }


def test_each_language_has_one_family() -> None:
    families = Counter(language for family in _FAMILIES for language in family.LANGUAGES)
    assert families == Counter(imports.LANGUAGES)
    assert set(families.values()) == {1}


@pytest.mark.parametrize("name", imports.LANGUAGES)
def test_each_language_has_a_grammar_that_its_family_reads(name: str) -> None:
    assert TABLE[name].grammar is not None
    assert imports.outline("", TABLE[name]).imports == ()


def test_outlines() -> None:
    text = "import a"
    assert imports.outline(text, TABLE["python"]) == Outline((), ("a",))
    assert imports.outline(text, Language("python")) == _NOTHING
    assert imports.outline(text, Language("no_such_language", grammar="python")) == _NOTHING


def test_what_cannot_be_parsed_raises() -> None:
    with pytest.raises(trees.TooLarge):
        imports.outline(" " * trees.MAX_BYTES, TABLE["python"])


def test_no_files() -> None:
    assert imports.edges([]) == []
