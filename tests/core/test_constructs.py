"""Constructs: every row of conf/constructs.yaml on a text of its language, and every way to say where a body is.

tests/constructs/<language>.yaml holds a text and what is expected in it: the construct, how its node starts (this
stands once in the text), its signature if it is a function, and its body, null for a declaration without one.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from tree_sitter import Node

from codemill.core import constructs, trees
from codemill.core.constructs import Body, ConstructTable, Shape
from codemill.core.languages import Language, LanguageTable

HERE = Path(__file__).parents[1]


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


ROWS = _read(HERE.parent / "conf" / "constructs.yaml")
TABLE = ConstructTable.from_mapping(ROWS)
LANGUAGE_ROWS = _read(HERE.parent / "conf" / "languages.yaml")
LANGUAGES = LanguageTable.from_mapping(LANGUAGE_ROWS)

# Programming languages with a grammar that have no row.
WITHOUT_A_ROW = {
    "assembly": "labels are marks in one long list of instructions",
    "dockerfile": "one instruction after another",
    "fsharp_signature": "declarations alone, none with a body",
}
# Node types of which no text has an example.
UNSEEN = {
    ("java", "class", "module_declaration"): "stands in a file of its own",
    ("matlab", "class", "class_definition"): "one class a file: the text's has a superclass, which is another key",
}


class Seen(NamedTuple):
    """A construct that was found in a text."""

    node: Node
    shape: Shape
    body: Body | None
    signature: tuple[int, int] | None


def find(tree: trees.Tree, shapes: Any, comments: Iterable[str]) -> list[Seen]:
    by_id, types = constructs.shapes_by_id(tree.grammar, shapes), frozenset(comments)
    found = []
    for node in trees.walk(tree.root):
        shape = constructs.matching(node, by_id.get(node.kind_id, ()), tree.source)
        if shape is not None:
            body = constructs.body(node, shape, tree.source, types)
            signature = body and constructs.signature(node, body, tree.source, types)
            found.append(Seen(node, shape, body, signature))
    return found


def cut(tree: trees.Tree, found: Body | tuple[int, int] | None) -> str | None:
    if found is None:
        return None
    start, end = (found.start, found.end) if isinstance(found, Body) else found
    return tree.source[start:end].decode()


def bodies(text: str, grammar: str, row: dict[str, Any]) -> list[str | None]:
    """Cut the bodies out of a text by a row of its own."""
    tree = trees.parse(text, grammar)
    return [cut(tree, each.body) for each in find(tree, ConstructTable.from_mapping({"x": row})["x"], {"comment"})]


def signature(text: str, grammar: str, row: dict[str, Any]) -> str | None:
    """Cut the signature of the first construct with a body out of a text."""
    tree = trees.parse(text, grammar)
    found = find(tree, ConstructTable.from_mapping({"x": row})["x"], {"comment"})
    return cut(tree, next(each.signature for each in found if each.body))


@pytest.mark.parametrize("language", TABLE)
def test_row(language: str) -> None:
    """What is expected is found, every shape is tried, and what is found makes sense."""
    row, case = LANGUAGES[language], _read(HERE / "constructs" / f"{language}.yaml")
    tree = trees.parse(case["text"], _grammar(row))
    assert not tree.root.has_error
    found = find(tree, TABLE[language], row.comment_nodes)
    tried = set()
    for entry in case["expected"]:
        assert case["text"].count(entry["starts"]) == 1, entry
        start = tree.byte_offsets()(case["text"].index(entry["starts"]))
        here = [each for each in found if (each.shape.construct, each.node.start_byte) == (entry["construct"], start)]
        assert here, entry
        tried |= {(each.shape, each.node.type) for each in here}
        with_body = [each for each in here if each.body]
        assert [cut(tree, each.body) for each in with_body] == [entry["body"]] * (entry["body"] is not None)
        if "signature" in entry:
            assert [cut(tree, each.signature) for each in with_body] == [entry["signature"]]
    untried = {(shape, name) for name, shapes in TABLE[language].items() for shape in shapes} - tried
    assert {(language, shape.construct, name) for shape, name in untried} <= set(UNSEEN)
    for each in found:
        if each.body:
            _check_order(tree, each.node, each.body, each.signature)


def _check_order(tree: trees.Tree, node: Node, body: Body, signature: tuple[int, int] | None) -> None:
    ends = [end for statement in body.statements for end in statement]
    assert node.start_byte <= body.outer <= body.start < body.end
    assert ends == sorted(ends)
    assert tree.source[ends[0] : ends[-1]].strip() in tree.source[body.start : body.end]
    assert signature is None or node.start_byte <= signature[0] < signature[1] <= body.outer


def test_every_language_has_a_row() -> None:
    with_grammar = {name for name in LANGUAGE_ROWS if name != "ambiguous" and LANGUAGES[name].grammar}
    programming = {name for name in with_grammar if LANGUAGES[name].kind == "programming"}
    assert set(TABLE) <= with_grammar
    assert programming - set(TABLE) == set(WITHOUT_A_ROW)
    assert {path.stem for path in (HERE / "constructs").glob("*.yaml")} == set(TABLE)


@pytest.mark.parametrize("language", TABLE)
def test_the_grammar_has_every_name(language: str) -> None:
    grammar = trees.language(_grammar(LANGUAGES[language]))
    types = {grammar.node_kind_for_id(number) for number in range(grammar.node_kind_count)}
    fields = {grammar.field_name_for_id(number) for number in range(1, grammar.field_count + 1)}
    named = {grammar.node_kind_for_id(n) for n in range(grammar.node_kind_count) if grammar.node_kind_is_named(n)}
    assert set(TABLE[language]) <= named
    for shape in (shape for shapes in TABLE[language].values() for shape in shapes):
        steps = [*shape.having, *(step for place in shape.places for step in (*place.path, place.after or ()))]
        names = {name.removeprefix("+") for step in steps for name in step if not name.isdecimal()}
        assert names <= types | fields, shape
        assert frozenset().union(*(place.before for place in shape.places)) <= types, shape


def _grammar(language: Language) -> str:
    assert language.grammar
    return language.grammar


FORMS = {
    "field": ("def f(a):\n    b\n    return c\n", "python", {"function_definition": "body"}, ["b\n    return c"]),
    "type": ("for (id a in b) { c; }", "objc", {"for_statement": "compound_statement"}, ["c;"]),
    "several names": ("enum class A { B }", "kotlin", {"class_declaration": "class_body|enum_class_body"}, ["B"]),
    "number": ("(if a b c)", "clojure", {"list_lit": 2}, ["b"]),
    "number past comments": ("(if a ;; no\n b c)", "clojure", {"list_lit": 2}, ["b"]),
    "number that is not there": ("(if a)", "clojure", {"list_lit": 2}, [None]),
    "sibling": ("int f() { g(); }", "dart", {"function_signature": "+function_body/block"}, ["g();"]),
    "sibling past comments": (
        "int f() /* a */ { g(); }",
        "dart",
        {"function_signature": "+function_body/block"},
        ["g();"],
    ),
    "path": ("type A struct {\n\tb int\n}\n", "go", {"type_spec": "type/field_declaration_list"}, ["b int"]),
    "between": ("if a; then b; c; fi", "bash", {"if_statement": "then .. else_clause|fi"}, ["b; c;"]),
    "to the end": ("if a; then b; elif c; then d; fi", "bash", {"elif_clause": "then .."}, ["d;"]),
    "from the number": ("(when a b c)", "clojure", {"list_lit": "1 .. )"}, ["b c"]),
    "from the field": ("while a\n  b\nend", "julia", {"while_statement": "condition .. end"}, ["b"]),
    "inclusive": ("case a\nwhen 1 then b\nelse c\nend", "ruby", {"case": "when ... end"}, ["when 1 then b\nelse c"]),
    "inclusive, with comments": (
        "case a\n# b\nwhen 1 then c\nend",
        "ruby",
        {"case": "when ... end"},
        ["# b\nwhen 1 then c"],
    ),
    "behind a path": ("f() (\n  a\n)", "bash", {"function_definition": "body/( .. )"}, ["a"]),
    "first of a list": ("f() (\n  a\n)", "bash", {"function_definition": ["body/( .. )", "body"]}, ["a"]),
    "second of a list": ("f() {\n  a\n}", "bash", {"function_definition": ["body/( .. )", "body"]}, ["a"]),
    "word": ("(if a b)\n(when c d)", "clojure", {"list_lit when|unless": "1 .. )"}, ["d"]),
    "beginning of a word": ("(if-not a b)", "clojure", {"list_lit if": 2}, []),
    "held": ("let a = 1\nlet f b = 2", "ocaml", {"value_definition[let_binding/parameter]": "let_binding/body"}, ["2"]),
    "first key that fits": ("(if a b)", "clojure", {"list_lit if": 2, "list_lit": 1}, ["b"]),
    "declaration": ("fn f();", "rust", {"function_signature_item": None}, [None]),
    "comment on the head's line": ("def f():  # a\n    b", "python", {"function_definition": "body"}, ["b"]),
    "comment before": ("def f():\n    # a\n    b", "python", {"function_definition": "body"}, ["# a\n    b"]),
    "comment alone": ("void f() { /* a */ }", "c", {"function_definition": "body"}, ["/* a */"]),
    "empty": ("void f() {}", "c", {"function_definition": "body"}, [None]),
    "a loop as the only statement": (
        "void f() { if (a) do b(); while (c); }",
        "c",
        {"if_statement": "consequence"},
        ["do b(); while (c);"],
    ),
    "separator": ("while a; b\nend", "julia", {"while_statement": "condition .. end"}, ["b"]),
    "blanks": ("void f() {\n\n  a();  \n}", "c", {"function_definition": "body"}, ["a();"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_form(form: str) -> None:
    text, grammar, kinds, found = FORMS[form]
    assert bodies(text, grammar, {"function": kinds}) == found


@pytest.mark.parametrize(
    ("text", "grammar", "kinds", "found"),
    [
        ("int f(int a)  // b\n{ c; }", "c", {"function_definition": "body"}, "int f(int a)"),
        ("def f(a):  # b\n    c", "python", {"function_definition": "body"}, "def f(a):"),
        ("f = lambda a: b", "python", {"lambda": ": .."}, "lambda a"),
        ("(defn f [a] b)", "clojure", {"list_lit defn": "vec_lit .. )"}, "(defn f [a]"),
        ("f() (\n  a\n)", "bash", {"function_definition": "body/( .. )"}, "f()"),
        ("int f() => 1;", "dart", {"function_signature": "+function_body/=> .. ;"}, "int f()"),
    ],
)
def test_signature(text: str, grammar: str, kinds: dict[str, Any], found: str) -> None:
    assert signature(text, grammar, {"function": kinds}) == found


@pytest.mark.parametrize(
    ("text", "grammar", "kinds", "found"),
    [
        ("def f():\n    a\n    # b\n    c", "python", {"function_definition": "body"}, ["a", "# b", "c"]),
        ("void f() { if (a) b(c); }", "c", {"if_statement": "consequence"}, ["b(c);"]),
        ("fun f() { a(); b() }", "kotlin", {"function_declaration": "function_body"}, ["a()", "b()"]),
        ("def f():\n    # a\n    b", "python", {"function_definition": "body"}, ["# a", "b"]),
        ("class A { A() { { a(); b(); } } }", "java", {"constructor_declaration": "body"}, ["{ a(); b(); }"]),
    ],
)
def test_statements(text: str, grammar: str, kinds: dict[str, Any], found: list[str]) -> None:
    tree = trees.parse(text, grammar)
    (body,) = (each.body for each in find(tree, ConstructTable.from_mapping({"x": {"if": kinds}})["x"], {"comment"}))
    assert body is not None
    assert [cut(tree, each) for each in body.statements] == found


def test_a_body_of_too_many_statements_is_left_alone() -> None:
    text = "def f():\n" + "    a\n" * 20_001
    assert bodies(text, "python", {"function": {"function_definition": "body"}}) == [None]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (None, r"klingon: found None, allowed is a mapping of function, class"),
        ({"loop": {}}, r"klingon: found 'loop', allowed are function, class"),
        ({"if": "body"}, r"klingon\.if: found 'body', allowed is a mapping of node types"),
        ({"if": {"a-b": "body"}}, r"klingon\.if: found 'a-b', allowed is a node type"),
        ({"if": {"a[b": "body"}}, r"klingon\.if: found 'a\[b', allowed is a node type"),
        ({"if": {"a": {"b": "c"}}}, r"klingon\.if\.a: found \{'b': 'c'\}, allowed is a field or type"),
        ({"if": {"a": "b c"}}, r"klingon\.if\.a: found 'b c', allowed is"),
        ({"if": {"a": "b/"}}, r"klingon\.if\.a: found 'b/', allowed is"),
        ({"if": {"a": ""}}, r"klingon\.if\.a: found '', allowed is"),
        ({"if": {"a": []}}, r"klingon\.if\.a: found \[\], allowed is"),
        ({"if": {"a": ["b", None]}}, r"klingon\.if\.a: found \['b', None\], allowed is"),
        ({"if": {"a": "+b .. c"}}, r"klingon\.if\.a: found '\+b \.\. c', allowed is"),
        ({"if": {"a": "b .... c"}}, r"klingon\.if\.a: found 'b \.\.\.\. c', allowed is"),
    ],
)
def test_a_bad_row_is_refused(row: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"constructs: {message}"):
        ConstructTable.from_mapping({"klingon": row})


def test_a_language_without_a_row_has_no_constructs() -> None:
    assert TABLE["klingon"] == {}
