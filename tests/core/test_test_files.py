"""Which files are tests, by the conventions of their languages."""

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from codemill.core.languages import LanguageTable

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)

# Language: tests; and what only looks like one.
PATHS = {
    "c": (["tests/a.c", "test_a.c", "a_test.c", "test_a.h", "tests/a.h"], ["protest.c", "attest/a.c", "latest.h"]),
    "cpp": (["a_test.cc", "FooTest.cpp", "a_unittest.cc", "tst_a.cpp"], ["contest.cpp", "attestation.hpp"]),
    "csharp": (["Foo.Tests/A.cs", "ATests.cs", "ATest.cs"], ["Attestation.cs", "Contests/A.cs"]),
    "go": (["pkg/a_test.go", "a_test.go", "test/e2e.go"], ["attestation.go", "test_a.go", "testdata/a_test.go"]),
    "java": (
        ["src/test/java/Base.java", "FooTest.java", "FooIT.java", "TestFoo.java", "src/androidTest/java/A.java"],
        ["Protest.java", "Exit.java", "AUDIT.java", "Testament.java", "latest/A.java"],
    ),
    "javascript": (
        ["a.test.js", "a.spec.mjs", "__tests__/a.js", "cypress/a.cy.js", "a-spec.js", "ASpec.js"],
        ["testimonials.js", "latest.js", "contest/a.js", "__fixtures__/a.test.js"],
    ),
    "typescript": (["a.test.ts", "a.e2e-spec.ts", "__tests__/a.ts"], ["testing-library.ts", "spectrum.ts"]),
    "tsx": (["a.test.tsx", "__tests__/a.tsx", "b.spec.tsx"], ["Attest.tsx", "manifest.tsx"]),
    "kotlin": (["src/commonTest/kotlin/A.kt", "ATest.kt", "ASpec.kt"], ["Latest.kt", "Spectrum.kt", "EXIT.kt"]),
    "python": (
        ["test_a.py", "pkg/a_test.py", "tests/helpers.py", "conftest.py", "app/tests.py"],
        ["latest.py", "contest/a.py", "testing/a.py", "attest.py", "tests/fixtures/test_a.py"],
    ),
    "cython": (["test_a.pyx", "a_test.pyx", "tests/a.pxd"], ["latest.pyx", "contest/a.pyx"]),
    "php": (["tests/A.php", "ATest.php", "Zend/tests/a.phpt", "Tests/A.php"], ["Contest.php", "Latest/a.php"]),
    "ruby": (["spec/a_spec.rb", "test/a.rb", "test_a.rb"], ["inspector.rb", "special/a.rb", "contest.rb"]),
    "rust": (["tests/cli.rs", "src/tests.rs", "a_test.rs"], ["src/attest.rs", "src/contests/a.rs"]),
    "scala": (["ASpec.scala", "src/test/scala/A.scala", "ASuite.scala"], ["Suites/A.scala", "Latest.scala"]),
    "swift": (["Tests/FooTests/A.swift", "ATests.swift", "FooTests/B.swift"], ["Contests/A.swift", "Testimony.swift"]),
    "objective_c": (["ATest.m", "FooTests/A.m", "ASpec.m"], ["Latest.m", "Contests/A.m"]),
    "objective_cpp": (["ATest.mm", "FooTests/A.mm", "ATests.mm"], ["Latest.mm", "Inspect.mm"]),
    "cuda": (["test_a.cu", "a_test.cu", "ATest.cuh"], ["latest.cu", "fastest.cuh"]),
    "dart": (["test/a.dart", "lib/a_test.dart", "integration_test/app.dart"], ["lib/testing.dart", "lib/latest.dart"]),
    "solidity": (["test/A.sol", "A.t.sol", "ATest.sol"], ["Attest.sol", "Contest.sol", "Testament.sol"]),
    "d": (["a_test.d", "test_a.d", "unittest/a.d"], ["latest.d", "attest.d"]),
    "zig": (["test/a.zig", "a_test.zig", "src/tests.zig"], ["latest.zig", "attest.zig"]),
    "odin": (["tests/a.odin", "a_test.odin", "test_a.odin"], ["latest.odin", "contest.odin"]),
    "hare": (["a+test.ha", "tests/a.ha", "test/+test.ha"], ["a+linux.ha", "latest.ha"]),
    "haxe": (["test/A.hx", "ATest.hx", "TestA.hx"], ["Testament.hx", "Contest.hx"]),
    "actionscript": (["ATest.as", "TestA.as", "test/A.as"], ["Contest.as", "Testament.as"]),
    "apex": (["ATest.apex", "TestA.apex", "tests/A.trigger"], ["Contest.apex", "Testament.apex"]),
    "groovy": (["ASpec.groovy", "ATest.groovy", "src/test/groovy/A.groovy"], ["Inspect.groovy", "Latest.groovy"]),
    "hack": (["ATest.hack", "tests/A.hack", "tests/b/C.hack"], ["Contest.hack", "Latest.hack"]),
    "gleam": (["test/a_test.gleam", "a_test.gleam", "test/b.gleam"], ["latest.gleam", "src/attest.gleam"]),
    "vala": (["tests/a.vala", "test-a.vala", "ATest.vala"], ["latest.vala", "Contest.vala"]),
    "squirrel": (["a.test.nut", "tests/a.nut", "agent.test.nut"], ["latest.nut", "a.nut"]),
    "cairo": (["test_a.cairo", "src/tests.cairo", "tests/a.cairo"], ["latest.cairo", "attest.cairo"]),
    "gdscript": (["test_a.gd", "test/a.gd", "ATest.gd"], ["latest.gd", "contest/a.gd"]),
    "shell": (["a.bats", "test_a.sh", "tests/run.sh", "t/t0001.sh"], ["latest.sh", "contest.sh", "attest/a.sh"]),
    "fish": (["tests/a.fish", "test_a.fish", "a_test.fish"], ["latest.fish", "contest.fish"]),
    "powershell": (["A.Tests.ps1", "tests/a.ps1", "A.Test.ps1"], ["Contests.ps1", "Attest.ps1"]),
    "batchfile": (["test.bat", "test_a.bat", "tests/a.cmd"], ["latest.bat", "contest.cmd"]),
    "sql": (["test_a.sql", "a_test.sql", "tests/a.sql"], ["latest.sql", "attest.sql"]),
    "haskell": (["test/A.hs", "ASpec.hs", "TestParser.hs", "Spec.hs"], ["Attest.hs", "Inspect.hs", "src/Test/Q.hs"]),
    "purescript": (["test/Main.purs", "ASpec.purs", "ATest.purs"], ["Inspect.purs", "Latest.purs"]),
    "ocaml": (["test/a.ml", "test_a.ml", "a_test.ml"], ["latest.ml", "contest.ml"]),
    "ocaml_interface": (["test/a.mli", "test_a.mli", "testsuite/a.mli"], ["latest.mli", "contest.mli"]),
    "fsharp": (["A.Tests/A.fs", "ATests.fs", "tests/A.fs"], ["Latest.fs", "Contests/A.fs"]),
    "elm": (["tests/A.elm", "ATest.elm", "ASpec.elm"], ["Latest.elm", "Contest.elm"]),
    "coq": (["test-suite/a.coq", "tests/a.coq", "test/a.coq"], ["latest.coq", "contest/a.coq"]),
    "erlang": (["test/a.erl", "a_SUITE.erl", "prop_a.erl"], ["attest.erl", "suite.erl", "test/a_SUITE_data/a.erl"]),
    "elixir": (["test/a_test.exs", "a_test.exs", "test/support/a.ex"], ["lib/attest.ex", "lib/testing.ex"]),
    "clojure": (["test/a/b_test.clj", "a_test.cljs", "test/core.cljc"], ["latest.clj", "contest/a.clj"]),
    "common_lisp": (["t/a.lisp", "a-test.lisp", "tests.lisp"], ["latest.lisp", "contest/a.lisp"]),
    "emacs_lisp": (["test/a.el", "a-test.el", "test-a.el"], ["latest.el", "contest.el"]),
    "scheme": (["tests/a.scm", "a-test.scm", "test-a.ss"], ["latest.scm", "contest.ss"]),
    "racket": (["tests/a.rkt", "a-test.rkt", "test-a.rkt"], ["latest.rkt", "contest.rkt"]),
    "fennel": (["test/a.fnl", "a-test.fnl", "a_spec.fnl"], ["latest.fnl", "inspect.fnl"]),
    "janet": (["test/a.janet", "test-a.janet", "a-test.janet"], ["latest.janet", "contest.janet"]),
    "lua": (["spec/a_spec.lua", "a_test.lua", "a.spec.lua"], ["latest.lua", "inspect.lua"]),
    "luau": (["a.spec.luau", "tests/a.luau", "a.test.luau"], ["latest.luau", "inspect.luau"]),
    "perl": (["t/basic.t", "xt/a.pl", "a.t"], ["text.pl", "lib/Test/Simple.pm"]),
    "raku": (["t/a.raku", "a.rakutest", "xt/a.rakumod"], ["lib/Test.rakumod", "text.raku"]),
    "r": (["tests/testthat/test-a.R", "inst/tinytest/test_a.R", "tests/a.R"], ["R/latest.R", "R/contest.R"]),
    "julia": (["test/runtests.jl", "test/a.jl", "a_test.jl"], ["src/latest.jl", "src/contest.jl"]),
    "mathematica": (["a.wlt", "Tests/a.wl", "a.mt"], ["latest.wl", "Contests/a.wl"]),
    "fortran": (["test_a.f90", "a_test.f90", "test/a.f90"], ["latest.f90", "fastest.f"]),
    "ada": (["test_a.adb", "a_test.ads", "tests/a.adb"], ["latest.adb", "contest.ads"]),
    "pascal": (["TestA.pas", "ATests.pas", "Tests/a.pas"], ["Testament.pas", "latest.pas"]),
    "nim": (["tests/ta.nim", "test_a.nim", "t_a.nim"], ["latest.nim", "attest.nim"]),
    "crystal": (["spec/a_spec.cr", "a_spec.cr", "spec/helper.cr"], ["inspect.cr", "special/a.cr"]),
    "coffeescript": (["a.spec.coffee", "a_test.coffee", "test/a.coffee"], ["latest.coffee", "inspect.coffee"]),
    "visual_basic": (["ATests.vb", "A.Tests/A.vb", "ATest.vb"], ["Latest.vb", "Contests/A.vb"]),
    "verilog": (["a_tb.v", "tb_a.v", "test/a.v", "tb/a.sv"], ["tbone.v", "latest.v"]),
    "vhdl": (["a_tb.vhd", "tb_a.vhdl", "testbench/a.vhd"], ["tbone.vhd", "latest.vhd"]),
    "tcl": (["tests/a.tcl", "test_a.tcl", "a-test.tcl"], ["latest.tcl", "contest.tcl"]),
    "vim_script": (["test/a.vim", "test_a.vim", "a_test.vim"], ["latest.vim", "contest.vim"]),
    "prolog": (["a.plt", "test_a.pro", "test_a.pl", "tests/a.prolog"], ["latest.pro", "contest.pro"]),
    "smalltalk": (["ATest.class.st", "ATests.st", "tests/A.st"], ["Latest.st", "Contest.class.st"]),
    "starlark": (["a_test.bzl", "tests/BUILD.bazel", "a_tests.bzl"], ["latest.bzl", "attest.star"]),
    "hcl": (["a.tftest.hcl", "tests/a.hcl", "b.tftest.hcl"], ["latest.hcl", "a.pkr.hcl"]),
    "bicep": (["a.test.bicep", "tests/a.bicep", "a.tests.bicep"], ["latest.bicep", "attest.bicep"]),
    "rego": (["a_test.rego", "tests/a.rego", "test/a.rego"], ["latest.rego", "attest.rego"]),
    "jsonnet": (["a_test.jsonnet", "tests/a.jsonnet", "a_test.libsonnet"], ["latest.jsonnet", "contest.libsonnet"]),
    "v": (["a_test.v", "tests/a.v", "src/a_test.v"], ["latest.v", "attest.v"]),
    "zsh": (["test_a.zsh", "a.test.zsh", "tests/a.zsh"], ["latest.zsh", "contest.zsh"]),
    "matlab": (["test_a.m", "ATest.m", "testA.m", "tests/a.m"], ["testament.m", "latest.m"]),
    "qml": (["tst_a.qml", "tests/a.qml", "tests/auto/tst_b.qml"], ["latest.qml", "first_a.qml"]),
}


def possible(path: str) -> set[str | None]:
    """Return what a file of this path may be in: its owner, and those that share its extension."""
    known = TABLE.by_path(path)
    return {known.language, *(rule.language for rule in (known.ambiguity.rules if known.ambiguity else ()))}


def is_test(path: str, table: LanguageTable = TABLE) -> bool:
    return table.is_test(path, table.detect(path))


@pytest.mark.parametrize("language", PATHS)
def test_tests_are_known_by_their_paths(language: str) -> None:
    tests, others = PATHS[language]
    for folder in ("", "some/where/"):
        assert {path: TABLE.is_test(folder + path, language) for path in tests} == dict.fromkeys(tests, True)
        assert {path: TABLE.is_test(folder + path, language) for path in others} == dict.fromkeys(others, False)
    assert all(language in possible(path) for path in [*tests, *others])


def test_every_convention_has_examples() -> None:
    assert {row.name for row in TABLE.languages if row.test_files} <= set(PATHS)
    assert all(len(tests) >= 3 and len(others) >= 2 for tests, others in PATHS.values())


@pytest.mark.parametrize("path", ["tests/data.json", "tests/README.md", "test/photo.png", "test_a/b.py", "LICENSE", ""])
def test_data_prose_and_files_beside_tests_are_no_tests(path: str) -> None:
    assert not is_test(path)


@pytest.mark.parametrize("path", ["tests/Makefile", "tests/CMakeLists.txt", "test/Dockerfile", "tests/a.proto"])
def test_what_builds_and_describes_is_no_test(path: str) -> None:
    assert not is_test(path)


@pytest.mark.parametrize(
    "path", ["tests/fixtures/a.py", "src/testdata/a_test.go", "__tests__/__snapshots__/a.js", "spec/fixtures/a_spec.rb"]
)
def test_fixtures_and_snapshots_are_no_tests(path: str) -> None:
    assert not is_test(path)


@pytest.mark.parametrize(
    ("language", "glob"), [(row.name, glob) for row in TABLE.languages for glob in row.test_files if glob[-2:] != ".*"]
)
def test_a_pattern_is_one_of_names_that_its_language_has(language: str, glob: str) -> None:
    assert language in possible(glob.replace("[A-Z]", "A").replace("*", "a").replace("?", "b"))


def test_wildcards_stay_within_a_name() -> None:
    row = {"extensions": [".x"], "test_files": ["a*.x", "?[A-Z][a-z].x"], "test_folders": ["p*s+"]}
    table = LanguageTable.from_mapping({"a": row})
    tests = ["a.x", "ab.x", "b/a.x", "éBc.x", "ps+/c.x", "d/pas+/c/d.x"]
    others = ["b.x", "ab/c.x", "bBC.x", "ps/c.x", "pss/c.x", "ps+.x", "p/s+/c.x", "a\n/b.x"]
    assert [path for path in [*tests, *others] if is_test(path, table)] == tests


def test_a_language_may_have_no_tests() -> None:
    table = LanguageTable.from_mapping({"a": {"extensions": [".x"], "test_folders": []}})
    assert not is_test("tests/a.x", table)
    assert not is_test("a.x", table)


@given(st.text())
@example("testdata")
@example("a/__snapshots__")
def test_any_path_is_a_test_or_not(path: str) -> None:
    assert is_test(path) in (True, False)
    python = next(row for row in TABLE.languages if row.name == "python")
    assert is_test(f"tests/{path}/a.py") == set(python.fixture_folders).isdisjoint(path.split("/"))


def test_conventions_are_those_of_the_language_that_was_recognised() -> None:
    assert TABLE.is_test("test_a.m", "matlab")
    assert not TABLE.is_test("test_a.m", "objective_c")
    assert not TABLE.is_test("tests/a.m", None)
