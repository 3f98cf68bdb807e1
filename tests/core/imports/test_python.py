import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.imports import python
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined


def outline(text: str) -> Outline:
    return python.outline(trees.parse(text, "python"), "python")


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [Source(path, "python", outline(text)) for path, text in files.items()]
    return joined(sources, python.edges)


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("import a", ("a",)),
        ("import a.b, c as d", ("a.b", "c")),
        ("from a.b import c", ("a.b:c",)),
        ("from a import b as c, d", ("a:b", "a:d")),
        ("from a import (\n    b,  # why\n    c,\n)", ("a:b", "a:c")),
        ("from a import *", ("a:*",)),
        ("from . import b", (".:b",)),
        ("from .. a . b import c", ("..a.b:c",)),
        ("from ...a import *", ("...a:*",)),
        ("import ä", ("ä",)),
        ("def f():\n    if x:\n        import a", ("a",)),
        ("try:\n    import b\nexcept ImportError:\n    import a as b", ("b", "a")),
        ("import a\nimport a", ("a",)),
        ("from __future__ import annotations", ()),
        ("# import a\nx = 'import b'", ()),
        (f"import {'a' * 2000}", ()),
        ("", ()),
    ],
)
def test_what_is_imported(text: str, imports: tuple[str, ...]) -> None:
    assert outline(text) == Outline((), imports)


@pytest.mark.parametrize(
    "text", ["import", "from import", "from . import", "import a.", "from a import (", "\x00\ud800"]
)
def test_odd_texts_do_not_raise(text: str) -> None:
    outline(text)


def test_a_name_of_a_package_is_a_module_or_in_the_package() -> None:
    files = {
        "p/__init__.py": "from .a import f",
        "p/a.py": "from p import b, version\nimport p.sub.c",
        "p/b.py": "from .sub import *\nfrom .sub.c import x\nfrom . import a",
        "p/sub/__init__.py": "from ..a import f",
        "p/sub/c.py": "from ... import outside\nfrom .... import further",
    }
    assert edges(files) == {
        ("p/__init__.py", "p/a.py"),
        ("p/a.py", "p/b.py"),
        ("p/a.py", "p/__init__.py"),
        ("p/a.py", "p/sub/c.py"),
        ("p/b.py", "p/sub/__init__.py"),
        ("p/b.py", "p/sub/c.py"),
        ("p/b.py", "p/a.py"),
        ("p/sub/__init__.py", "p/a.py"),
    }


def test_roots_are_above_the_package_and_the_source_folders_above_that() -> None:
    files = {
        "src/p/__init__.py": "",
        "src/p/a.py": "",
        "lib/q.py": "",
        "tests/test_a.py": "import p.a, q, helpers, conftest",
        "tests/helpers.py": "from p import a",
        "tests/unit/test_b.py": "import helpers\nfrom tests.helpers import x",
    }
    assert edges(files) == {
        ("tests/test_a.py", "src/p/a.py"),
        ("tests/test_a.py", "lib/q.py"),
        ("tests/test_a.py", "tests/helpers.py"),
        ("tests/helpers.py", "src/p/a.py"),
        ("tests/unit/test_b.py", "tests/helpers.py"),
    }


def test_a_file_elsewhere_is_not_found_for_its_name() -> None:
    files = {
        "p/__init__.py": "",
        "p/a.py": "import json, yaml, redis, requests, b",
        "p/redis.py": "import redis",
        "p/b.py": "",
        "tests/data/json.py": "",
        "tests/data/yaml.py": "",
        "vendor/requests/__init__.py": "",
    }
    assert edges(files) == set()


def test_the_neighbour_wins_over_copies_elsewhere() -> None:
    files = {
        "a/p/__init__.py": "",
        "a/p/x.py": "",
        "a/main.py": "import p.x",
        "b/p/__init__.py": "",
        "b/p/x.py": "",
        "b/p/y.py": "from p import x",
        "p/__init__.py": "",
        "p/x.py": "",
        "main.py": "import p.x",
    }
    assert edges(files) == {("a/main.py", "a/p/x.py"), ("b/p/y.py", "b/p/x.py"), ("main.py", "p/x.py")}


def test_the_standard_library_is_the_project_s_own_only_below_a_certain_root() -> None:
    own = {"Lib/json/__init__.py": "", "Lib/json/decoder.py": "import re", "Lib/re.py": "", "Lib/ast.py": "import re"}
    assert edges(own) == {("Lib/json/decoder.py", "Lib/re.py"), ("Lib/ast.py", "Lib/re.py")}
    assert edges({"p/q/types.py": "", "p/q/a.py": "import types"}) == set()
    assert edges({"types.py": "", "src/p/__init__.py": "import types"}) == set()
    assert edges({"types.py": "", "a.py": "import types"}) == {("a.py", "types.py")}


def test_packages_need_no_init_file() -> None:
    files = {
        "a/b/c.py": "from a.d import e\nfrom . import f\nimport yaml",
        "a/b/f.py": "",
        "a/d/e.py": "",
        "a/b/yaml.py": "",
    }
    # That `a/b` is a package follows from the relative import, so `a/b/yaml.py` is `a.b.yaml`.
    assert edges(files) == {("a/b/c.py", "a/d/e.py"), ("a/b/c.py", "a/b/f.py")}


def test_a_folder_with_a_setup_file_is_a_root_where_its_names_are_the_only_ones() -> None:
    files = {
        "libs/one/setup.py": "",
        "libs/one/one/__init__.py": "",
        "libs/one/common.py": "",
        "libs/two/setup.py": "",
        "libs/two/common.py": "",
        "app/main.py": "import one, common",
    }
    assert edges(files) == {("app/main.py", "libs/one/one/__init__.py")}


def test_a_package_comes_before_a_module_and_a_source_before_its_stub() -> None:
    files = {
        "a.py": "import b, c, d",
        "b.py": "",
        "b/__init__.py": "",
        "c.py": "",
        "c.pyi": "",
        "d/__init__.pyi": "from .e import x",
        "d/e.pyi": "",
    }
    assert edges(files) == {
        ("a.py", "b/__init__.py"),
        ("a.py", "c.py"),
        ("a.py", "d/__init__.pyi"),
        ("d/__init__.pyi", "d/e.pyi"),
    }


_PATHS = [f"{folder}{name}" for folder in ("", "p/", "p/q/", "src/p/") for name in ("__init__.py", "a.py", "b.pyi")]
_IMPORTS = ["a", "p.a", "p.q:b", "p:a", ".:a", "..:b", "..q:a", "q.b", "p.q:*"]
_PROJECTS = st.dictionaries(st.sampled_from(_PATHS), st.lists(st.sampled_from(_IMPORTS), unique=True), max_size=8)


@settings(max_examples=60, deadline=None)
@given(project=_PROJECTS, data=st.data())
def test_the_order_of_files_does_not_matter(project: dict[str, list[str]], data: st.DataObject) -> None:
    sources = [Source(path, "python", Outline((), tuple(imports))) for path, imports in project.items()]
    shuffled = data.draw(st.permutations(sources))
    assert joined(shuffled, python.edges) == joined(sources, python.edges)


def test_many_files_of_one_name() -> None:
    sources = [
        Source(f"a{i % 100}/b{i}/{name}.py", "python", Outline((), ("setup", "os", "x.y:z")))
        for i in range(10_000)
        for name in ("setup", "x")
    ]
    deep = Source("/".join(["d"] * 2_000) + "/e.py", "python", Outline((), ("setup", "." * 5_000 + ":a")))
    assert len(list(python.edges([*sources, deep]))) == 10_000
