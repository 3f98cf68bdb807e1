from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.imports import go
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined


def outline(text: str) -> Outline:
    return go.outline(trees.parse(text, "go"), "go")


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [Source(path, "go", outline(text)) for path, text in files.items()]
    return joined(sources, go.edges)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('import "fmt"\nfunc f() { fmt.Println(); fmt.Println() }', ("fmt Println",)),
        ('import (\n\t"a/b"\n\tc "d/e"\n)\nvar x b.T\nvar y c.U\nvar z = c.V{}', ("a/b T", "d/e U V")),
        ("import `a/b`\nvar x = b.\n\tC", ("a/b C",)),
        ('import _ "a/b"', ("a/b init",)),
        ('import . "a/b"\nfunc f(t T) { G(); h() }', ("a/b T G", ". T G h")),
        ('import "a/go-b/v2"\nimport "gopkg.in/c.v3"\nvar x, y = b.D, c.E', ("a/go-b/v2 D", "gopkg.in/c.v3 E")),
        ('import "a/b/v1"\nvar x, y = v1.C, b.D', ("a/b/v1 D C",)),
        ('import "a/b-c"\nvar x = b_c.D', ("a/b-c D",)),
        ('import "a/b"\nfunc f() { b.lower() }', ("a/b",)),
        ('import "C"\nimport "."\nimport "x y"', ("C",)),
        ("func f(t T, u *U, e error) { g(t); h[int](u); t.m(); len(x); f() }", (". T U g h",)),
        ("type T[K comparable] struct { m map[K]V }", (". K V",)),
        ("", ()),
    ],
)
def test_what_is_imported_and_selected(text: str, expected: tuple[str, ...]) -> None:
    assert outline(f"package p\n{text}\n").imports == expected


def test_what_is_declared() -> None:
    text = (
        "// Package p.\npackage p\nfunc F() { type local int }\nfunc (t T) M() {}\ntype T int\n"
        "type (\n A = T\n b struct{}\n)\nvar X, y = 1, 2\nvar (\n Z int\n)\nconst (\n C = iota\n D\n)\nvar _ = 1\n"
    )
    assert outline(text).declares == ("package p", "F", "T", "A", "b", "X", "y", "Z", "C", "D")
    assert outline("not go at all {").declares == ("package ",)


_MODULE = {
    "main.go": 'package main\nimport "example.com/app/store"\nfunc main() { store.Open() }',
    "store/open.go": "package store\nfunc Open() *DB { return nil }",
    "store/db.go": "package store\ntype DB struct{}",
    "store/other.go": "package store\nfunc Other() {}",
}


def test_only_files_that_declare_what_is_selected_are_used() -> None:
    assert edges(_MODULE) == {("main.go", "store/open.go"), ("store/open.go", "store/db.go")}


def test_tests_use_their_package_and_nobody_uses_tests() -> None:
    files = {
        "store/open_test.go": "package store\nfunc helper(d DB) { Open() }",
        "store/more_test.go": "package store\nfunc more() { helper(x) }",
        "store/out_test.go": 'package store_test\nimport "example.com/app/store"\nfunc f() { store.Other(); helper() }',
        "store/bad.go": "package store\nfunc bad() { helper() }",
    }
    assert edges(_MODULE | files) - edges(_MODULE) == {
        ("store/open_test.go", "store/db.go"),
        ("store/open_test.go", "store/open.go"),
        ("store/more_test.go", "store/open_test.go"),
        ("store/out_test.go", "store/other.go"),
    }


@pytest.mark.parametrize(
    ("path", "clause"),
    [
        # Of other modules, although a folder is called so.
        ("github.com/pkg/errors", "errors"),
        ("errors", "errors"),
        ("golang.org/x/errors", "errors"),
        ("example.org/other/pkg/errors", "errors"),
        ("example.com/app/errors", "errors"),
    ],
)
def test_a_folder_is_not_enough(path: str, clause: str) -> None:
    files = {
        **_MODULE,
        "web/a.go": f'package web\nimport "{path}"\nimport "example.com/app/store"\nvar x = {clause}.New(store.Other)',
        "pkg/errors/errors.go": f"package {clause}\nfunc New() {{}}",
    }
    assert edges(files) - edges(_MODULE) == {("web/a.go", "store/other.go")}


def test_what_an_imported_package_does_not_declare_is_no_hint() -> None:
    files = {
        "a/a.go": 'package a\nimport "github.com/x/y/log"\nvar l = log.New(log.Info, log.Warn)',
        "log/log.go": "package log\nfunc New() {}",
    }
    assert edges(files) == set()


def test_most_of_a_module_must_be_there() -> None:
    files = {
        "a/a.go": 'package a\nimport "host.io/m/log"\nimport "host.io/m/x"\nimport "host.io/m/y"\nvar l = log.New',
        "log/log.go": "package log\nfunc New() {}",
    }
    assert edges(files) == set()


def test_most_packages_of_a_module_must_be_what_is_imported() -> None:
    imports = 'import "host.io/api/v1"\nimport b "host.io/api/v2"\nimport c "host.io/api/v3"\n'
    files = {
        "a/a.go": f"package a\n{imports}var x = v1.Pod\nvar y = b.Node\nvar z = c.Node",
        "types/v1/a.go": "package v1\ntype Pod int",
        "types/v2/a.go": "package v2\ntype Pod int",
        "types/v3/a.go": "package v3\ntype Pod int",
    }
    assert edges(files) == set()


def test_several_modules() -> None:
    files = {
        "one/main.go": 'package main\nimport "example.com/one/a"\nvar x = a.A',
        "one/a/a.go": "package a\nvar A = 1",
        "two/main.go": 'package main\nimport "two/a"\nimport b "example.com/one/a"\nvar x, y = a.B, b.A',
        "two/a/a.go": "package a\nvar B = 1",
    }
    assert edges(files) == {("one/main.go", "one/a/a.go"), ("two/main.go", "two/a/a.go"), ("two/main.go", "one/a/a.go")}


def test_the_package_at_the_top() -> None:
    files = {
        "zap.go": "package zap\nfunc New() {}",
        "field.go": "package zap\nfunc String() {}",
        "cmd/x/main.go": 'package main\nimport "go.uber.org/zap"\nfunc main() { zap.New() }',
        "cmd/y/main.go": 'package main\nimport "github.com/other/log"\nfunc main() { log.New() }',
    }
    assert edges(files) == {("cmd/x/main.go", "zap.go")}


def test_vendored_packages_and_workspaces() -> None:
    files = {
        "a/a.go": 'package a\nimport "github.com/x/y"\nvar z = y.Z',
        "a/vendor/github.com/x/y/y.go": "package y\nvar Z = 1",
        "vendor/github.com/x/y/y.go": "package y\nvar Z = 1",
        "b/b.go": 'package b\nimport "github.com/x/y"\nimport "github.com/x/only"\nvar z = y.Z\nvar o = only.O',
        "a/vendor/github.com/x/only/only.go": "package only\nvar O = 1",
        "src/github.com/me/p/p.go": 'package p\nimport "github.com/me/q"\nvar z = q.Z',
        "src/github.com/me/q/q.go": "package q\nvar Z = 1",
    }
    assert edges(files) == {
        ("a/a.go", "a/vendor/github.com/x/y/y.go"),
        ("b/b.go", "vendor/github.com/x/y/y.go"),
        ("src/github.com/me/p/p.go", "src/github.com/me/q/q.go"),
    }


def test_imports_by_relative_path() -> None:
    files = {"a/a.go": 'package a\nimport "../b"\nvar x = b.X', "b/b.go": "package b\nvar X = 1"}
    assert edges(files) == {("a/a.go", "b/b.go")}


def test_of_files_for_several_platforms_one_is_used() -> None:
    files = {
        "p/open_linux.go": "package p\nfunc open() {}",
        "p/open_windows.go": "package p\nfunc open() {}",
        "p/use.go": "package p\nfunc use() { open() }",
        "p/use_windows.go": "package p\nfunc use2() { open() }",
    }
    assert edges(files) == {("p/use.go", "p/open_linux.go"), ("p/use_windows.go", "p/open_windows.go")}


def test_where_no_name_is_known_a_package_has_a_main_file() -> None:
    files = {
        **_MODULE,
        "x/x.go": 'package x\nimport _ "example.com/app/driver"\nimport _ "example.com/app/single"\n'
        'import _ "example.com/app/wide"\nimport "example.com/app/effect"',
        "driver/driver.go": "package driver",
        "driver/more.go": "package driver",
        "single/one.go": "package single",
        "wide/a.go": "package wide",
        "wide/b.go": "package wide\nfunc init() {}",
        "effect/a.go": "package effect",
        "effect/b.go": "package effect",
    }
    assert edges(files) - edges(_MODULE) == {
        ("x/x.go", "driver/driver.go"),
        ("x/x.go", "single/one.go"),
        ("x/x.go", "wide/b.go"),
    }


def test_programs_are_not_imported() -> None:
    files = {
        **_MODULE,
        "x/x.go": 'package x\nimport "example.com/app/tool"\nvar x = tool.X',
        "tool/gen.go": "package main\nvar X = 1",
        "tool/gen2.go": "package main",
        "tool/tool.go": "package tool\nvar X = 1",
    }
    assert edges(files) - edges(_MODULE) == {("x/x.go", "tool/tool.go")}


_NAMES = st.lists(st.sampled_from(["a", "b", "c", "vendor", "example.com"]), min_size=1, max_size=3).map("/".join)


@given(
    st.dictionaries(st.tuples(_NAMES, st.sampled_from(["x.go", "y_linux.go", "z_test.go"])), _NAMES, max_size=10),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_edges_do_not_depend_on_the_order_of_files(files: dict[tuple[str, str], str], random: Random) -> None:
    texts = {
        f"{folder}/{name}": f'package {folder[-1]}\nimport "example.com/{used}"\nvar V = {used[-1]}.V\nvar W = V()'
        for (folder, name), used in files.items()
    }
    shuffled = list(texts.items())
    random.shuffle(shuffled)
    assert edges(texts) == edges(dict(shuffled))


def test_many_packages_of_one_name() -> None:
    n = 10_000
    sources = [
        Source(f"d{i}/v1/a.go", "go", Outline(("package v1", "A"), (f"example.com/m/d{(i + 1) % n}/v1 A",)))
        for i in range(n)
    ]
    sources += [Source(f"p/f{i}.go", "go", Outline(("package p", f"F{i}", "init"), (". F1 init",))) for i in range(n)]
    assert len(list(go.edges(sources))) == n + (n - 1) + (n - 1)
