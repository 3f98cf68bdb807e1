import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.imports import javascript
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined

_LANGUAGES = {"ts": "typescript", "mts": "typescript", "tsx": "tsx"}


def language_of(path: str) -> str:
    return _LANGUAGES.get(path.rpartition(".")[2], "javascript")


def imports(text: str, language: str) -> tuple[str, ...]:
    declares, found = javascript.outline(trees.parse(text, language), language)
    assert declares == ()
    return found


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [
        Source(path, language, javascript.outline(trees.parse(text, language), language))
        for path, text in files.items()
        for language in [language_of(path)]
    ]
    return joined(sources, javascript.edges)


@pytest.mark.parametrize("language", javascript.LANGUAGES)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import './a';", ("./a",)),
        ('import a, {b as c} from "./a"; import * as d from "d";', ("./a", "d")),
        ("export * from './a'; export * as b from './b'; export {default} from './c';", ("./a", "./b", "./c")),
        ("const a = require('./a'), {b} = require(`./b`).c;", ("./a", "./b")),
        ("const a = await import('./a'); import('./b', {with: {type: 'json'}});", ("./a", "./b")),
        ("define(['./a', 'b'], (a, b) => {}); require(['./c']);", ("./a", "b", "./c")),
        ("define('name', ['./a'], function (a) {});", ("./a",)),
        ("import a from './a.svg?raw'; import './b#c';", ("./a.svg", "./b")),
        ("import './a'; require('./a');", ("./a",)),
        ("require('./a' + b); require(`./${a}`); import(a); required('./b'); a.require('./c'); f(['./d']);", ()),
        ("// import './a'\nconst a = \"import './b'\"; export {a};", ()),
        (f"import '{'a' * 2000}';", ()),
        ("", ()),
    ],
)
def test_what_is_imported(language: str, text: str, expected: tuple[str, ...]) -> None:
    assert imports(text, language) == expected


@pytest.mark.parametrize("language", ["typescript", "tsx"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import type {A} from './a'; export type {B} from './b';", ("./a", "./b")),
        ("import a = require('./a'); import b = A.B;", ("./a",)),
        ("let a: import('./a').A; let b: typeof import('./b');", ("./a", "./b")),
        (
            '/// <reference path="a.d.ts" />\n/// <reference path="../b.ts" />\nimport "c";',
            ("./a.d.ts", "../b.ts", "c"),
        ),
        ('/// <reference types="node" />\n// <reference path="a.ts" />', ()),
        ("declare module './a' {}", ()),
    ],
)
def test_what_typescript_imports_besides(language: str, text: str, expected: tuple[str, ...]) -> None:
    assert imports(text, language) == expected


@pytest.mark.parametrize(
    "text", ["import", "import from", "require(", "export * from", "import '", "\x00\ud800", "`${"]
)
def test_odd_texts_do_not_raise(text: str) -> None:
    for language in javascript.LANGUAGES:
        imports(text, language)


def test_a_path_is_a_file_with_or_without_extension_or_a_folder_s_index() -> None:
    files = {
        "a/main.js": "require('./b.js'); require('./c'); require('./d'); require('./e/'); require('.'); require('..')",
        "a/b.js": "",
        "a/c.jsx": "",
        "a/d/index.mjs": "",
        "a/e.js": "",
        "a/e/index.js": "",
        "a/index.js": "require('./main'); require('./')",
        "a/g.js": "export * from './f.min'",
        "index.cjs": "require('./a'); require('../outside'); require('../../a/b')",
        "a/f.min.js": "",
    }
    assert edges(files) == {
        ("a/main.js", "a/b.js"),
        ("a/main.js", "a/c.jsx"),
        ("a/main.js", "a/d/index.mjs"),
        ("a/main.js", "a/e/index.js"),
        ("a/main.js", "a/index.js"),
        ("a/main.js", "index.cjs"),
        ("a/g.js", "a/f.min.js"),
        ("a/index.js", "a/main.js"),
        ("index.cjs", "a/index.js"),
    }


def test_languages_import_each_other_and_their_own_first() -> None:
    files = {
        "a.ts": "import './b.js'; import './c'; import './d.mjs'; import './e'",
        "a.js": "import './b.js'; import './c'; import './d.mjs'; import './e'",
        "b.ts": "",
        "c.ts": "",
        "c.js": "",
        "d.mts": "",
        "e.tsx": "",
    }
    assert edges(files) == {
        ("a.ts", "b.ts"),
        ("a.ts", "c.ts"),
        ("a.ts", "d.mts"),
        ("a.ts", "e.tsx"),
        ("a.js", "b.ts"),
        ("a.js", "c.js"),
        ("a.js", "d.mts"),
        ("a.js", "e.tsx"),
    }


def test_names_of_packages_are_no_files() -> None:
    files = {
        "a.js": "import 'b'; import 'lib/c'; import '@scope/d'; import 'node:fs'",
        "b.js": "",
        "lib/c.js": "",
        "d.js": "",
    }
    assert edges(files) == set()


def test_an_alias_is_the_only_folder_above_that_has_the_file() -> None:
    files = {
        "web/src/pages/home.tsx": "import '@/lib/a'; import '~/src/lib/a'; import '@/twice'; import '@/far'",
        "web/src/lib/a.ts": "",
        "web/src/lib/index.ts": "",
        "web/tests/a.test.ts": "import '@/lib/a'; import '@/lib'",
        "web/twice.ts": "",
        "web/src/twice.ts": "",
        "other/far.ts": "",
    }
    assert edges(files) == {
        ("web/src/pages/home.tsx", "web/src/lib/a.ts"),
        ("web/tests/a.test.ts", "web/src/lib/a.ts"),
        ("web/tests/a.test.ts", "web/src/lib/index.ts"),
    }


_PATHS = ["a.js", "a.ts", "b/index.js", "b/index.d.ts", "b.tsx", "src/a.ts", "src/b/a.js", "b/a.mjs"]
_IMPORTS = ["./a", "../a", "./b", "./b/", "..", "@/a", "~/b/a", "./a.js", "a"]
_PROJECTS = st.dictionaries(st.sampled_from(_PATHS), st.lists(st.sampled_from(_IMPORTS), unique=True))


@settings(max_examples=60, deadline=None)
@given(project=_PROJECTS, data=st.data())
def test_the_order_of_files_does_not_matter(project: dict[str, list[str]], data: st.DataObject) -> None:
    sources = [Source(path, language_of(path), Outline((), tuple(names))) for path, names in project.items()]
    shuffled = data.draw(st.permutations(sources))
    assert joined(shuffled, javascript.edges) == joined(sources, javascript.edges)


def test_many_files_of_one_name() -> None:
    sources = [
        Source(f"a{i % 100}/b{i}/{name}.js", "javascript", Outline((), ("./utils", "@/utils", "react")))
        for i in range(10_000)
        for name in ("utils", "x")
    ]
    deep = Source("/".join(["d"] * 2_000) + "/e.js", "javascript", Outline((), ("../" * 3_000, "@/" + "x/" * 400)))
    assert len(list(javascript.edges([*sources, deep]))) == 10_000
