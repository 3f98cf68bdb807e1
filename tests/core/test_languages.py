"""The language table: lookups by path, faults in a table, and the shipped table against its grammars."""

import pickle
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_sitter import Query

from codemill.core import trees
from codemill.core.languages import Language, LanguageTable

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)
PARSED = [language.name for language in TABLE.languages if language.grammar]

HELLO = {
    "c": 'int main(void) {\n  puts("hello");  // there\n  return 0;\n}\n',
    "cpp": "#include <iostream>\nclass A { public: int b() const { return 1; } };\n",
    "csharp": 'using System;\nclass A { static void Main() { Console.WriteLine("hello"); } }\n',
    "go": 'package main\n\nfunc main() {\n\tprintln("hello")\n}\n',
    "java": 'class A {\n  void b() { System.out.println("hello"); }\n}\n',
    "javascript": 'const a = () => console.log("hello");\n',
    "typescript": "function a(b: string): number { return b.length; }\n",
    "tsx": "const a = (b: string) => <p>{b}</p>;\n",
    "kotlin": 'fun main() {\n  println("hello")\n}\n',
    "python": 'def a(b):\n    print("hello")  # there\n',
    "php": "<?php\nfunction a($b) { echo 'hello'; }\n",
    "ruby": "def a(b)\n  puts 'hello'\nend\n",
    "rust": 'fn main() {\n    println!("hello");\n}\n',
    "scala": 'object A {\n  def b(): Unit = println("hello")\n}\n',
    "swift": 'func a() {\n  print("hello")\n}\n',
    "shell": 'a() {\n  echo "hello"  # there\n}\n',
    "powershell": "function A($b) { Write-Host $b }\n",
    "sql": "SELECT a, b FROM c WHERE d = 1;\n",
    "haskell": 'main :: IO ()\nmain = putStrLn "hello"\n',
    "ocaml": 'let main b = print_endline "hello"\n',
    "ocaml_interface": "val a : int -> int\n",
    "erlang": "-module(a).\nb() -> ok.\n",
    "elixir": 'defmodule A do\n  def b(c), do: IO.puts("hello")\nend\n',
    "clojure": '(defn a [b] (println "hello"))\n',
    "common_lisp": "(defun a (b) (print b))\n",
    "emacs_lisp": '(defun a (b) (message "hello"))\n',
    "scheme": "(define (a b) (display b))\n",
    "racket": "#lang racket\n(define (a b) (display b))\n",
    "dart": "void main() {\n  print('hello');\n}\n",
    "lua": 'local function a(b)\n  print("hello")\nend\n',
    "perl": 'use strict;\nsub a { my $b = shift; print "hello"; }\n',
    "r": "a <- function(b) {\n  print(b)\n}\n",
    "julia": 'function a(b)\n  println("hello")\nend\n',
    "fortran": "program a\n  print *, 'hello'\nend program a\n",
    "ada": "procedure A is\nbegin\n   null;\nend A;\n",
    "pascal": "program a;\nbegin\n  writeln('hello');\nend.\n",
    "d": "void main() {\n  int a = 1;\n}\n",
    "nim": 'proc a(b: int) =\n  echo "hello"\n',
    "zig": "pub fn main() void {}\n",
    "objective_c": "@implementation A\n- (void)b { return; }\n@end\n",
    "cuda": "__global__ void a(int *b) { b[0] = 1; }\n",
    "glsl": "void main() {\n  gl_FragColor = vec4(1.0);\n}\n",
    "hlsl": "float4 main(float4 a) { return a; }\n",
    "solidity": "contract A {\n  function b() public {}\n}\n",
    "verilog": "module a;\nendmodule\n",
    "vhdl": "entity a is\nend entity a;\n",
    "matlab": "function a(b)\n  disp(b)\nend\n",
    "elm": 'module A exposing (..)\n\n\na b =\n    "hello"\n',
    "tcl": 'proc a {b} {\n  puts "hello"\n}\n',
    "vim_script": "function! A(b)\n  echo a:b\nendfunction\n",
    "fsharp": "let a b = b + 1\n",
    "makefile": "all: a\n\techo hello\n",
    "cmake": "function(a b)\n  message(${b})\nendfunction()\n",
    "meson": "project('a', 'c')\n",
    "dockerfile": "FROM a:1\nRUN echo hello\n",
    "html": "<p>hello</p>\n",
    "css": "a { color: red; }\n",
    "scss": "a { b { color: red; } }\n",
    "vue": "<template><p>hello</p></template>\n",
    "svelte": "<p>hello</p>\n",
    "yaml": "a:\n  - b: 1\n",
    "toml": "[a]\nb = 1\n",
    "json": '{"a": [1, 2]}\n',
    "xml": "<a><b/></a>\n",
    "ini": "[a]\nb = 1\n",
    "protobuf": 'syntax = "proto3";\nmessage A { int32 b = 1; }\n',
    "thrift": "struct A { 1: i32 b }\n",
    "graphql": "type A { b: Int }\n",
    "terraform": 'resource "a" "b" {\n  c = 1\n}\n',
    "starlark": "def a(b):\n    return b\n",
    "nix": "{ a = b: b + 1; }\n",
    "tex": "\\section{Hello}\n",
    "groovy": "def a = 1\n",
}


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/main.py", "python"),
        ("Makefile", "makefile"),
        ("docker/Dockerfile", "dockerfile"),
        ("cmake/CMakeLists.txt", "cmake"),
        ("a/b.c", "c"),
        ("a/b.C", "cpp"),
        ("a/b.h", "c"),
        ("a/b.H", "cpp"),
        ("a/B.PY", "python"),
        ("MAKEFILE", "makefile"),
        ("index.d.ts", "typescript"),
        ("page.blade.php", "blade"),
        ("page.php", "php"),
        ("package.tar.json", "json"),
        ("view.m", "objective_c"),
        ("script.pl", "perl"),
        (r"win\dos\a.go", "go"),
        (".bashrc", "shell"),
        (".py", None),
        (".eslintrc.js", "javascript"),
        ("a.py/b", None),
        ("a.unknown", None),
        ("", None),
    ],
)
def test_detect(path: str, language: str | None) -> None:
    assert TABLE.detect(path) == language


def test_the_longest_extension_wins_over_a_shorter_one() -> None:
    table = LanguageTable.from_mapping({"a": {"extensions": [".x"]}, "b": {"extensions": [".y.x"]}})
    assert [table.detect(path) for path in ("f.x", "f.y.x", "f.z.y.x", "y.x")] == ["a", "b", "b", "a"]


def test_case_counts_first_and_then_does_not() -> None:
    table = LanguageTable.from_mapping({"a": {"extensions": [".x"]}, "b": {"extensions": [".X", ".yY"]}})
    assert [table.detect(path) for path in ("f.x", "f.X", "f.Yy")] == ["a", "b", "b"]
    table = LanguageTable.from_mapping({"a": {"extensions": [".xy"]}, "b": {"extensions": [".xY"]}})
    assert table.detect("f.XY") == "a"


def test_the_table_has_languages_enough() -> None:
    assert len(TABLE.names) >= 64
    assert sum(row.kind == "programming" and row.grammar is not None for row in TABLE.languages) >= 50


def test_lookups() -> None:
    assert TABLE["python"].line_comments == ("#",)
    assert "python" in TABLE
    assert "klingon" not in TABLE
    with pytest.raises(KeyError):
        TABLE["klingon"]


def test_a_language_travels() -> None:
    language = TABLE["java"]
    assert pickle.loads(pickle.dumps(language)) == language
    assert hash(pickle.loads(pickle.dumps(language))) == hash(language)
    assert pickle.loads(pickle.dumps(TABLE)).detect("a.java") == "java"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "found [], allowed is a mapping"),
        ({"a": 3}, "a: found 3, allowed is a mapping"),
        ({"A b": {}}, "A b.name: found 'A b', allowed is lower case"),
        ({"a": {"colour": "red"}}, "a.colour: found 'red', allowed is: Unexpected"),
        ({"a": {"kind": "poem"}}, "a.kind: found 'poem', allowed is: Input should be 'programming'"),
        ({"a": {"extensions": ["py"]}}, "a.extensions: found 'py', allowed is a dot"),
        (
            {"a": {"grammar": "c", "function_words": ["f-x"]}},
            "a.function_words: found 'f-x', allowed is a word of up to",
        ),
        (
            {"a": {"grammar": "c", "forbidden": [{"fault": "b", "nodes": ["(c) @node"], "at_top": True}]}},
            "a.forbidden: found ['(c) @node'], allowed is node types",
        ),
        ({"a": {"filenames": ["x/y"]}}, "a.filenames: found 'x/y', allowed is a file name"),
        ({"a": {"test_files": ["x/y"]}}, "a.test_files: found 'x/y', allowed is a name without a slash"),
        ({"a": {"test_folders": [""]}}, "a.test_folders: found '', allowed is a name without a slash"),
        ({"a": {"fixture_folders": ["[0-9]"]}}, "a.fixture_folders: found '[0-9]', allowed is a name"),
        ({"a": {"grammar": "klingon"}}, "a.grammar: found 'klingon', allowed is null or one of"),
        ({"a": {"comment_nodes": ["comment"]}}, "a.comment_nodes: found ['comment'], allowed is nothing while"),
        ({"a": {"grammar": "c", "comment_nodes": ["(a)"]}}, "a.comment_nodes: found '(a)', allowed is a node type"),
        ({"a": {"block_comments": [["/*", ""]]}}, "a.block_comments: found ['/*', ''], allowed is a pair"),
        ({"a": {"wrappers": ["class A {}"]}}, "a.wrappers: found 'class A {}', allowed is source with one %s"),
        ({"a": {"max_error_share": 2}}, "a.max_error_share: found 2.0, allowed is a number from 0 to 1"),
        ({"a": {"words": {"blocks": [{"closes": "a*"}]}}}, "a.words: found 'a*', allowed is a regular expression with"),
        (
            {"a": {"words": {"blocks": [{"closes": "(a)"}]}}},
            "found '(a)', allowed is a regular expression with at most 0",
        ),
        (
            {"a": {"words": {"hidden": [{"opens": "(a)(b)"}]}}},
            "found '(a)(b)', allowed is a regular expression with at",
        ),
        (
            {"a": {"words": {"hidden": [{"opens": "a{0,9}"}]}}},
            "found 'a{0,9}', allowed is a regular expression of more",
        ),
        ({"a": {"words": {"hidden": [{"opens": "a", "reads": "é"}]}}}, "found 'é', allowed is an ASCII character"),
        ({"a": {"words": {"hidden": [{"opens": "a", "closes": "b+"}]}}}, "found 'b+', allowed is a regular expression"),
        ({"a": {"words": {"never": [["A b", "c"]]}}}, "found 'A b', allowed is a word in lower case"),
        ({"a": {"words": {"never": [["a", "b*"]]}}}, "a.words: found 'b*', allowed is a regular expression with"),
        ({"a": {"words": {"before": "("}}}, "a.words: found '(', allowed is a regular expression (missing )"),
        ({"a": {"max_errors": -1}}, "a.max_errors: found -1, allowed is null or a number from 0"),
        ({"a": {"extensions": [".x"]}, "b": {"extensions": [".x"]}}, "b.extensions: found '.x', which a has"),
        ({"a": {"filenames": ["X"]}, "b": {"filenames": ["X"]}}, "b.filenames: found 'X', which a has"),
        ({"a": {"modes": ["x"]}, "b": {"modes": ["x"]}}, "b.modes: found 'x', which a has"),
        ({"a": {"interpreters": ["X"]}}, "a.interpreters: found 'X', allowed is a word in lower case"),
        ({"a": {}, "ambiguous": 3}, "ambiguous: found 3, allowed is a mapping of extensions"),
        ({"a": {}, "ambiguous": {".x": 3}}, "ambiguous.x: found 3, allowed is a mapping of fields"),
        ({"a": {}, "ambiguous": {".x": {}}}, "ambiguous.x.rules: found {}, allowed is: Field required"),
        ({"a": {}, "ambiguous": {"x": {"rules": []}}}, "ambiguous.\"x\": found 'x', allowed is a dot"),
        (
            {"a": {}, "ambiguous": {".x": {"rules": [], "comments": "b"}}},
            "ambiguous.x.comments: found 'b', allowed is the name of a language",
        ),
        ({"a": {}, "ambiguous": {".x": {"rules": [{"language": "b"}]}}}, "ambiguous.x.rules.0.language: found 'b'"),
        (
            {"a": {}, "ambiguous": {".x": {"rules": [{"language": "a", "match": ["("]}]}}},
            "ambiguous.x.rules.0.match: found '(', allowed is a regular expression (missing )",
        ),
        (
            {"a": {}, "ambiguous": {".x": {"rules": [{"language": "a", "without": ["a*"]}]}}},
            "ambiguous.x.rules.0.without: found 'a*', allowed is a regular expression with repetitions such as {0,9}",
        ),
        (
            {"a": {}, "ambiguous": {".x": {"rules": [{"language": "a", "match": ["(?:(?=a{1,9})b|c){1,9}"]}]}}},
            "match: found '(?:(?=a{1,9})b|c){1,9}', allowed is a regular expression with",
        ),
    ],
)
def test_a_bad_table_says_what_is_wrong(data: object, message: str) -> None:
    with pytest.raises(ValueError, match="languages: ") as error:
        LanguageTable.from_mapping(data)  # type: ignore[arg-type]
    assert message in str(error.value)


@pytest.mark.parametrize("name", PARSED)
def test_every_grammar_loads_and_knows_the_nodes_of_its_row(name: str) -> None:
    row = TABLE[name]
    assert row.grammar is not None
    forbidden = [rule.nodes for rule in row.forbidden]
    for entries in (row.comment_nodes, row.function_nodes, row.statement_nodes, *forbidden, row.required):
        Query(trees.language(row.grammar), trees.query({"found": entries}))


@pytest.mark.parametrize("name", HELLO)
def test_every_grammar_parses_a_hello(name: str) -> None:
    row = TABLE[name]
    assert row.grammar is not None
    tree = trees.parse(HELLO[name], row.grammar)
    assert [(node.type, node.start_point) for node in trees.walk(tree.root) if node.is_error or node.is_missing] == []


@pytest.mark.parametrize("name", [name for name in HELLO if TABLE[name].function_nodes])
def test_every_hello_has_at_most_one_function(name: str) -> None:
    row = TABLE[name]
    assert row.grammar is not None
    found = trees.captures(trees.parse(HELLO[name], row.grammar), trees.query({"function": row.function_nodes}))
    assert len(found.get("function", ())) <= 1


def test_statement_nodes_need_comment_nodes() -> None:
    searched = [row for row in TABLE.languages if row.statement_nodes]
    assert len(searched) > 30
    assert all(row.comment_nodes and (row.line_comments or row.block_comments) for row in searched)


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_any_path_has_one_language_or_none(path: str) -> None:
    found = TABLE.detect(path)
    assert found is None or found in TABLE
    assert found == TABLE.detect(f"some/folder/{path}") or "/" in path or "\\" in path


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from([(e, row.name) for row in TABLE.languages for e in row.extensions]),
    st.from_regex(r"[a-z]+x", fullmatch=True),
)
def test_every_extension_leads_to_its_owner(extension: tuple[str, str], stem: str) -> None:
    assert TABLE.detect(stem + extension[0]) == extension[1]


def test_languages_are_plain_values() -> None:
    assert Language("a").extensions == ()
    with pytest.raises(ValueError, match="allowed is lower case"):
        Language("A")


def test_a_name_of_many_dots_is_looked_at_once() -> None:
    assert TABLE.detect("." * 1_000_000) is None
    assert TABLE.detect("a." * 500_000 + "d.ts") == "typescript"
