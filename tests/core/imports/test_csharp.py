import pytest

from codemill.core import trees
from codemill.core.imports import csharp
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined


def outline(text: str) -> Outline:
    return csharp.outline(trees.parse(text, "csharp"), "csharp")


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [Source(path, "csharp", outline(text)) for path, text in files.items()]
    return joined(sources, csharp.edges)


@pytest.mark.parametrize(
    ("text", "declares"),
    [
        ("namespace A.B { class C { class In {} } interface I {} struct S {} }", ("A.B.C", "A.B.I", "A.B.S")),
        (
            "namespace A.B;\nenum E {}\ndelegate void D();\nrecord R(int x);\nrecord struct Q(int y);",
            ("E", "D", "R", "Q"),
        ),
        ("namespace A { namespace B { class C<T> {} } class D {} } class E {}", ("A.B.C", "A.D", "E")),
        ("#if X\nclass C {}\n#else\nclass D {}\n#endif\nclass E {}", ("C", "D", "E")),
        ("", ()),
    ],
)
def test_what_is_declared(text: str, declares: tuple[str, ...]) -> None:
    prefix = "A.B." if text.startswith("namespace A.B;") else ""
    assert outline(text).declares == tuple(f"{prefix}{name}" for name in declares)


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("using A; using A.B;", ("A.*", "A.B.*")),
        ("global using A.B; using global::A.C;", ("A.B.*", "A.C.*")),
        ("using static A.B.C; using D = A.B.E; using L = System.Collections.Generic.List<int>;", ("A.B.C", "A.B.E")),
        ("namespace N { using A.B; }", ("A.B.*",)),
        ("using A; class X { void M() { using var f = new F(); using (G g = H()) {} } }", ("A.*", "?F", "?G")),
        ("// using A;", ()),
    ],
)
def test_what_is_imported(text: str, imports: tuple[str, ...]) -> None:
    assert outline(text).imports == imports


def test_names_are_said_where_a_type_may_stand() -> None:
    text = """using N;
[Attr] class Own : Base, IFace<Arg> {
    Field f; Elem[] es; Maybe? m; Prop P { get; set; } Own self;
    Ret Method(Param p) {
        var a = new Made(); var b = (Cast)a; var c = a as As; var d = Static.Call(Value);
        if (a is Is) {} if (a is Pattern x) {} Func<Inner> g; var t = typeof(Typed); Other.Qualified q; name.Called();
        try {} catch (Caught e) {} foreach (Each i in All) {} /* Comment */ var s = "Text";
        return null;
    }
}"""
    said = "Arg As Attr Base Cast Caught Each Elem Field Func IFace Inner Is Made Maybe Param Pattern Prop Ret Static"
    assert outline(text).imports == ("N.*", *(f"?{name}" for name in said.split()), "?Typed", "?AttrAttribute")


@pytest.mark.parametrize(
    "text", ["using", "using ;", "using A", "namespace", "namespace {", "using X = ;", "\x00\ud800"]
)
def test_odd_texts_do_not_raise(text: str) -> None:
    outline(text)


def test_a_using_is_for_the_types_that_the_text_says() -> None:
    files = {
        "A/B.cs": "namespace A { public class B {} }",
        "A/C.cs": "namespace A { public class C {} }",
        "A/Marked.cs": "namespace A; class MarkedAttribute {}",
        "A/Sub/D.cs": "namespace A.Sub { class D {} }",
        "X/User.cs": "using System; using A; namespace X { class User { B b; D d; String s; } }",
        "X/Marks.cs": "using A; namespace X; [Marked] class Marks {}",
        "X/Without.cs": "namespace X; class Without { B b; C c; }",
        "X/Alias.cs": "using C2 = A.C; class Alias {}",
        "X/Static.cs": "using static A.B; class Static {}",
        "A/Same.cs": "using A; namespace A { class Same { B b; } }",
        "A/Sub/Up.cs": "using A; namespace A.Sub { class Up { C c; } }",
    }
    assert edges(files) == {
        ("X/User.cs", "A/B.cs"),
        ("X/Marks.cs", "A/Marked.cs"),
        ("X/Alias.cs", "A/C.cs"),
        ("X/Static.cs", "A/B.cs"),
        ("A/Sub/Up.cs", "A/C.cs"),
    }


def test_the_namespaces_around_come_before_usings() -> None:
    files = {
        "A/Options.cs": "namespace A; class Options {}",
        "X/Options.cs": "namespace X; class Options {}",
        "X/Y/User.cs": "using A; namespace X.Y; class User { Options o; }",
        "Z/User.cs": "using A; namespace Z; class User { Options o; }",
        "Z/Both.cs": "using A; using X; namespace Z; class Both { Options o; }",
    }
    assert edges(files) == {("Z/User.cs", "A/Options.cs")}


def test_of_the_parts_of_a_type_the_nearest_is_meant() -> None:
    files = {
        "A/Form.cs": "namespace A; partial class Form {}",
        "A/Form.Designer.cs": "namespace A; partial class Form {}",
        "Copy/A/Form.cs": "namespace A; partial class Form {}",
        "X/User.cs": "using A; class User { Form f; }",
        "Copy/User.cs": "using A; class User { Form f; }",
    }
    assert edges(files) == {("X/User.cs", "A/Form.cs"), ("Copy/User.cs", "Copy/A/Form.cs")}


def test_many_files_of_one_namespace() -> None:
    imports = ("N.*", *(f"M{i}.*" for i in range(20)), *(f"?T{i}" for i in range(5)), "?Program")
    sources = [Source(f"N/T{i}.cs", "csharp", Outline((f"N.T{i}", f"P{i}.Program"), imports)) for i in range(10_000)]
    users = [Source(f"U/{i}.cs", "csharp", Outline((f"U.C{i}",), imports)) for i in range(10_000)]
    assert len(list(csharp.edges([*sources, *users]))) == 5 * 10_000
