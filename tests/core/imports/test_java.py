import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.imports import java
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined

_LANGUAGES = {"kt": "kotlin", "scala": "scala", "groovy": "groovy"}


def language_of(path: str) -> str:
    return _LANGUAGES.get(path.rpartition(".")[2], "java")


def outline(text: str, language: str) -> Outline:
    return java.outline(trees.parse(text, language), language)


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [Source(path, language_of(path), outline(text, language_of(path))) for path, text in files.items()]
    return joined(sources, java.edges)


@pytest.mark.parametrize(
    ("text", "declares"),
    [
        ("package a.b; class C { class D {} } interface I {}", ("a.b.C", "a.b.I")),
        ("package a /* why */ . b ; enum E {} record R(int x) {} @interface A {}", ()),
        ("package a . b ; enum E {} record R(int x) {} @interface A {}", ("a.b.E", "a.b.R", "a.b.A")),
        ("class C { void f() { class D {} } }", ("C",)),
        ("package a;", ()),
        ("module a.b { exports c; }", ()),
        ("", ()),
    ],
)
def test_what_java_declares(text: str, declares: tuple[str, ...]) -> None:
    assert outline(text, "java").declares == declares


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("import a.B; import a.b.C.D;", ("a.B", "a.b.C.D")),
        ("import static a.B.f; import static a.B . g ;", ("a.B.f", "a.B.g")),
        ("import a.B; import a.B; class C { D d; }", ("a.B",)),
        (
            "import a.*; class C extends D { @E F<G> f = H.i(J.K, L::m, x.y); java.util.List l; C c; // M\n}",
            ("a.*", "?D", "?E", "?F", "?G", "?H", "?J", "?L"),
        ),
        ("import static a.B.*;", ("a.B.*",)),
        ("// import a.B;", ()),
    ],
)
def test_what_java_imports(text: str, imports: tuple[str, ...]) -> None:
    assert outline(text, "java").imports == imports


def test_the_outline_of_kotlin() -> None:
    text = """@file:JvmName("X")
package a.`in`.b
import c.D
import c.d as e
import c.f.*
class K { fun inner() { G.h(); I() } }
interface L
object M
typealias N = Int
fun o(p: P) = q()
fun String.r() = 1
val s = 1
val Int.t get() = 1
"""
    declared = ("K", "L", "M", "N", "o", "r", "s", "t")
    said = ("?G", "?I", "?Int", "?JvmName", "?P", "?String")
    assert outline(text, "kotlin") == Outline(
        tuple(f"a.in.b.{name}" for name in declared), ("c.D", "c.d", "c.f.*", *said)
    )


def test_the_outline_of_scala() -> None:
    text = """package a
package b
import c.D, e._
import f.{G, H => I, J as K, _}
import _root_.l.M
import n.o.*
object P { class Q }
trait R
case class S(t: T)
package object u { }
package v {
  class W
}
enum X { case Y }
def z = Z(1)
"""
    declared = ("a.b.P", "a.b.R", "a.b.S", "a.b.u", "a.b.v.W", "a.b.X", "a.b.z")
    imports = ("c.D", "e.*", "f.G", "f.H", "f.J", "f.*", "l.M", "n.o.*", "?T", "?Z")
    assert outline(text, "scala") == Outline(declared, imports)


def test_the_outline_of_groovy() -> None:
    text = """/*
import not.This
*/
package a.b
import c.D;
import static c.E.f // why
import c.g.*
import c.H as I
String s = '''
import nor.This
'''
abstract class J { K k }
trait L {}
"""
    assert outline(text, "groovy") == Outline(
        ("a.b.J", "a.b.L"), ("c.D", "c.E.f", "c.g.*", "c.H", "?D", "?E", "?H", "?I", "?J", "?K", "?L", "?String")
    )


@pytest.mark.parametrize("language", java.LANGUAGES)
@pytest.mark.parametrize(
    "text", ["import", "package", "import a.;", "import a.{", "class {", "import .*", "\x00\ud800"]
)
def test_odd_texts_do_not_raise(text: str, language: str) -> None:
    outline(text, language)


def test_packages_in_packages_do_not_grow_without_bounds() -> None:
    text = "package a {\n" * 3_000 + "class C\n" + "}\n" * 3_000
    assert all(len(name) <= 1_000 for name in outline(text, "scala").declares)


def test_an_import_names_a_class_or_what_is_in_one() -> None:
    files = {
        "a/B.java": "package a; public class B { static int f; class In {} }",
        "a/C.java": "package a; class C { B b; }",
        "x/Single.java": "package x; import a.B; import java.util.List; import a.missing.D;",
        "x/Inner.java": "package x; import a.B.In;",
        "x/Static.java": "package x; import static a.B.f;",
        "x/All.java": "package x; import static a.B.*;",
        "x/Other.java": "package x; import org.D;",
        "org.kt": "fun org() = 1",
        "x/Itself.java": "package x; import x.Itself.In; class Itself { class In {} }",
    }
    assert edges(files) == {(f"x/{name}.java", "a/B.java") for name in ("Single", "Inner", "Static", "All")}


def test_a_wildcard_is_for_the_classes_that_the_text_says() -> None:
    files = {
        "a/B.java": "package a; class B {}",
        "a/C.java": "package a; class C {}",
        "a/D.java": "package a; class D {}",
        "a/sub/E.java": "package a.sub; class E {}",
        "x/D.java": "package x; class D {}",
        "x/User.java": "package x; import a.*; import java.util.*; class User { B b; D d; E e; List l; /* C */ }",
        "y/C.java": "package y; class C {}",
        "x/Explicit.java": "package x; import a.*; import y.C; class Explicit { C c; }",
        "x/Both.java": "package x; import a.*; import y.*; class Both { C c; B b; }",
        "a/sub/Up.java": "package a.sub; import a.*; class Up { C c; }",
        "x/Own.java": "package x; import a.*; class Own { class B {} B b; }",
    }
    assert edges(files) == {
        ("x/User.java", "a/B.java"),
        ("x/Explicit.java", "y/C.java"),
        ("x/Both.java", "a/B.java"),
        ("a/sub/Up.java", "a/C.java"),
    }


def test_of_several_files_the_nearest_is_meant() -> None:
    user = "import a.B; class U {}"
    files = {
        "one/src/main/a/B.java": "package a; class B {}",
        "one/src/test/a/B.java": "package a; class B {}",
        "one/src/main/U.java": user,
        "one/src/test/x/U.java": user,
        "two/deep/down/B.java": "package a; class B {}",
        "two/U.java": user,
        "U.java": user,
    }
    assert edges(files) == {
        ("one/src/main/U.java", "one/src/main/a/B.java"),
        ("one/src/test/x/U.java", "one/src/test/a/B.java"),
        ("two/U.java", "two/deep/down/B.java"),
        ("U.java", "two/deep/down/B.java"),
    }


def test_languages_import_each_other() -> None:
    files = {
        "J.java": "package j; import k.K; import k.KKt; class J {}",
        "K.kt": "package k\nimport j.J\nimport s.T.f\nclass K\nfun g() = 1\nval h = 1",
        "L.kt": "package l\nimport k.g\nimport k.*\nfun i() = K()",
        "S.scala": "package s\nimport k.{K, h}\nobject T { def f = 1 }",
        "G.groovy": "package g\nimport j.*\nclass G { J j }",
    }
    assert edges(files) == {
        ("J.java", "K.kt"),
        ("K.kt", "J.java"),
        ("K.kt", "S.scala"),
        ("L.kt", "K.kt"),
        ("S.scala", "K.kt"),
        ("G.groovy", "J.java"),
    }


def test_scala_imports_begin_in_the_packages_around_too() -> None:
    files = {
        "a/b/C.scala": "package a.b\nobject C { val d = 1 }",
        "a/User.scala": "package a\nimport b.C\nclass User",
        "a/x/Deep.scala": "package a.x\nimport b._\nclass Deep { C.d }",
        "a/b/Member.scala": "package a.b\nimport C._\nclass Member",
        "z/Other.scala": "package z\nimport b.C",
        "a/Java.java": "package a; import b.C;",
        "a/package.scala": "package object a",
        "p/package.scala": "package p\npackage object q { type R = Int }",
        "z/Holds.scala": "package z\nimport p.q.R",
        "z/HoldsNot.scala": "package z\nimport p.q.r.S\nimport p.q.other",
    }
    assert edges(files) == {
        ("a/User.scala", "a/b/C.scala"),
        ("a/x/Deep.scala", "a/b/C.scala"),
        ("a/b/Member.scala", "a/b/C.scala"),
        ("z/Holds.scala", "p/package.scala"),
    }


def test_of_the_packages_that_a_scala_file_has_parts_of_the_first_by_name_is_meant() -> None:
    names = "hgfedcba"
    files = {f"{name}/x/C.scala": f"package {name}.x\nclass C" for name in names}
    user = "\n".join(f"package {name} {{ class D }}" for name in names)
    assert edges({**files, "User.scala": f"{user}\nimport x.C"}) == {("User.scala", "a/x/C.scala")}


_NAMES = ["a.B", "a.C", "b.B", "b.c.D", "D"]
_IMPORTS = ["a.B", "a.*", "b.*", "b.c.D.E", "b.c.*", "?B", "?C", "?D"]
_PATHS = ["a/B.java", "a/x/C.java", "b/B.kt", "c/D.scala", "D.java", "b/c/E.scala"]
_OUTLINES = st.builds(
    Outline,
    st.lists(st.sampled_from(_NAMES), unique=True, max_size=3).map(tuple),
    st.lists(st.sampled_from(_IMPORTS), unique=True).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(project=st.dictionaries(st.sampled_from(_PATHS), _OUTLINES), data=st.data())
def test_the_order_of_files_does_not_matter(project: dict[str, Outline], data: st.DataObject) -> None:
    sources = [Source(path, language_of(path), each) for path, each in project.items()]
    shuffled = data.draw(st.permutations(sources))
    assert joined(shuffled, java.edges) == joined(sources, java.edges)


def test_many_files_that_declare_one_name() -> None:
    imports = ("a.B", "a.*", "b.*", "?B", "?Main", "x" + ".x" * 400)
    sources = [
        Source(f"m{i % 100}/n{i}/{name}.java", "java", Outline((f"{package}.{name}", f"p{i}.Main"), imports))
        for i in range(10_000)
        for package, name in (("a", "B"), ("b", "C"))
    ]
    deep = Source("/".join(["d"] * 2_000) + "/E.java", "java", Outline(("a.B",), imports))
    found = list(java.edges([*sources, deep]))
    assert len(found) == 10_000
