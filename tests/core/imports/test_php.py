from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.imports import php
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined


def outline(text: str) -> Outline:
    return php.outline(trees.parse(f"<?php {text}", "php"), "php")


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [Source(path, "php", outline(text)) for path, text in files.items()]
    return joined(sources, php.edges)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use A\\B; use C as D, \\E\\F;", ("A\\B", "C", "E\\F")),
        ("use A\\{B, C\\D as E, function f};", ("A\\B", "A\\C\\D", "A\\f")),
        ("use function A\\f; use const A\\C;", ("A\\f", "A\\C")),
        ("namespace N; new A(); new \\B(); new C\\D(); new namespace\\E();", ("N\\A", "B", "N\\C\\D", "N\\E")),
        ("namespace N; use A\\B; use A\\C as D; new B(); new D\\E(); B::f();", ("A\\B", "A\\C", "A\\C\\E")),
        ("class X extends A implements B, C { use D; }", ("A", "B", "C", "D")),
        ("function f(A $a, ?B $b, C|D $c, int $i): E { return F::G; }", ("A", "B", "C", "D", "E", "F")),
        ("try { A::f(); B::$c; } catch (C $e) { $e instanceof D; }", ("A", "B", "C", "D")),
        ("#[A\\B] class X {}", ("A\\B",)),
        ("class A {} new A(); self::x(); static::y(); parent::z();", ()),
        ("namespace A { new X(); } namespace B { new X(); }", ("A\\X", "B\\X")),
        ("$x->A(); a(); 'new A()'; // new A", ()),
        ("", ()),
    ],
)
def test_the_names_that_are_used(text: str, expected: tuple[str, ...]) -> None:
    assert outline(text).imports == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("require 'a.php'; include_once(\"b/c.php\");", ("path a.php", "path b/c.php")),
        ("require __DIR__ . '/a.php';", ("beside a.php",)),
        ("require_once(dirname(__FILE__) . '/a.php');", ("beside a.php",)),
        ("require dirname(__DIR__) . '/a.php';", ("beside ../a.php",)),
        ("require dirname(dirname(__FILE__)) . '/a.php';", ("beside ../a.php",)),
        ("require \\dirname(__DIR__, 3) . '/a.php';", ("beside ../../../a.php",)),
        ("require ABSPATH . 'a.php'; require ABSPATH . WPINC . '/b.php';", ("under a.php", "under b.php")),
        ("require $x . '/a.php'; require \"a$x.php\"; require f('a.php'); require __FILE__ . 'a.php'; require $x;", ()),
    ],
)
def test_what_is_included(text: str, expected: tuple[str, ...]) -> None:
    assert outline(text).imports == expected


def test_what_is_declared() -> None:
    text = "namespace A\\B; class C { function m() {} } interface D {} trait E {} enum F {} function g() {}"
    assert outline(text).declares == ("A\\B\\C", "A\\B\\D", "A\\B\\E", "A\\B\\F", "A\\B\\g")
    text = "namespace A { class B {} function f() {} } namespace { class G {} }"
    assert outline(text).declares == ("A\\B", "A\\f", "G")


def test_names_lead_to_the_files_that_declare_them() -> None:
    files = {
        "src/Web/Page.php": "namespace App\\Web; use App\\Db\\Table; class Page extends Base { function f(V $v) {} }",
        "src/Web/Base.php": "namespace App\\Web; class Base { function f(\\Exception $e) { throw new Exception(); } }",
        "src/Db/Table.php": "namespace App\\Db; class Table {}",
        "src/Other/Base.php": "namespace App\\Other; class Base {}",
        "tests/PageTest.php": "namespace App\\Tests; use App\\Web\\Page; class PageTest {}",
    }
    assert edges(files) == {
        ("src/Web/Page.php", "src/Web/Base.php"),
        ("src/Web/Page.php", "src/Db/Table.php"),
        ("tests/PageTest.php", "src/Web/Page.php"),
    }


def test_of_several_declarations_the_nearest_counts() -> None:
    files = {
        "a/x.php": "new Thing();",
        "a/lib/Thing.php": "class Thing {}",
        "b/x.php": "new Thing();",
        "b/Thing.php": "class Thing {}",
    }
    assert edges(files) == {("a/x.php", "a/lib/Thing.php"), ("b/x.php", "b/Thing.php")}


def test_what_tests_declare_without_a_namespace_is_theirs() -> None:
    files = {"src/a.php": "new Redis();", "tests/stubs.php": "class Redis {}", "tests/a.php": "new Redis();"}
    assert edges(files) == {("tests/a.php", "tests/stubs.php")}


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        # From admin/x.php.
        ("require 'y.php';", ["admin/y.php", "y.php"], "admin/y.php"),
        ("require 'y.php';", ["y.php"], "y.php"),
        ("require 'inc/y.php';", ["web/inc/y.php"], "web/inc/y.php"),
        ("require 'inc/y.php';", ["web/inc/y.php", "lib/inc/y.php"], None),
        ("require 'y.php';", ["web/y.php"], None),
        ("require __DIR__ . '/y.php';", ["y.php"], None),
        ("require __DIR__ . '/../y.php';", ["y.php"], "y.php"),
        ("require ROOT . 'y.php';", ["y.php", "admin/y.php"], "y.php"),
    ],
)
def test_the_file_that_is_included(text: str, others: list[str], expected: str | None) -> None:
    files = {"admin/x.php": text, **dict.fromkeys(others, "")}
    assert edges(files) == ({("admin/x.php", expected)} if expected else set())


_PATHS = st.tuples(st.sampled_from(["src", "lib/src", "tests", "x"]), st.sampled_from(["A.php", "B.php"])).map("/".join)
_TEXTS = ["namespace N;", "class A {}", "class B extends A {}", "require 'A.php';", "require ROOT . 'src/A.php';"]


@given(
    st.dictionaries(_PATHS, st.lists(st.sampled_from(_TEXTS), max_size=3).map(" ".join)),
    st.randoms(use_true_random=False),
)
@settings(max_examples=50, deadline=None)
def test_edges_do_not_depend_on_the_order_of_files(files: dict[str, str], random: Random) -> None:
    shuffled = list(files.items())
    random.shuffle(shuffled)
    assert edges(files) == edges(dict(shuffled))


def test_many_files_that_declare_one_name() -> None:
    n = 10_000
    sources = [Source(f"d{i}/A.php", "php", Outline(("A",), ())) for i in range(n)]
    sources += [Source(f"d{i}/x/B.php", "php", Outline(("B",), ("A",))) for i in range(n)]
    assert sorted(php.edges(sources)) == [(n + i, i) for i in range(n)]
