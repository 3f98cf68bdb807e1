"""Which files are tests, by the conventions of their languages."""

from pathlib import Path

import pytest
import yaml

from codemill.core.languages import LanguageTable

TABLE = LanguageTable.from_mapping(yaml.safe_load(Path("conf/languages.yaml").read_text(encoding="utf-8")))

# Language: tests; and what only looks like one.
PATHS = {
    "python": (["test_a.py", "pkg/a_test.py", "tests/helpers.py", "conftest.py"], ["latest.py", "contest/a.py"]),
    "go": (["pkg/a_test.go"], ["attestation.go", "pkg/test_a.go", "testdata/a.go"]),
    "java": (["src/test/java/Base.java", "FooTest.java", "FooIT.java", "TestFoo.java"], ["Protest.java", "Exit.java"]),
    "javascript": (["a.test.js", "a.spec.mjs", "__tests__/a.js", "cypress/a.cy.js"], ["testimonials.js", "latest.js"]),
    "typescript": (["a.test.ts", "src/a.spec.ts", "__tests__/a.ts"], ["testing-library.ts", "spectrum.ts"]),
    "tsx": (["a.test.tsx", "__tests__/a.tsx", "b.spec.tsx"], ["Attest.tsx", "manifest.tsx"]),
    "ruby": (["spec/a_spec.rb", "test/a_test.rb", "test/test_a.rb"], ["inspector.rb", "special/a.rb"]),
    "rust": (["tests/cli.rs", "src/tests.rs", "a_test.rs"], ["src/attest.rs", "src/contests/a.rs"]),
    "php": (["tests/ATest.php", "ATest.php", "Zend/tests/a.phpt"], ["Contest.php", "Latest/a.php"]),
    "csharp": (["Foo.Tests/A.cs", "ATests.cs", "ATest.cs"], ["Attestation.cs", "Contests/A.cs"]),
    "kotlin": (["src/test/kotlin/A.kt", "ATest.kt", "ASpec.kt"], ["Latest.kt", "Spectrum.kt"]),
    "scala": (["ASpec.scala", "src/test/scala/A.scala", "ASuite.scala"], ["Suites/A.scala", "Latest.scala"]),
    "swift": (["Tests/FooTests/A.swift", "ATests.swift", "FooTests/B.swift"], ["Contests/A.swift", "Testimony.swift"]),
    "elixir": (["test/a_test.exs", "a_test.exs", "test/test_helper.exs"], ["lib/attest.ex", "lib/testing.ex"]),
    "haskell": (["test/Spec.hs", "ASpec.hs", "TestParser.hs"], ["Attest.hs", "Inspect.hs"]),
    "dart": (["test/a.dart", "lib/a_test.dart", "test/b_test.dart"], ["lib/testing.dart", "lib/latest.dart"]),
    "perl": (["t/basic.t", "xt/a.pl", "a.t"], ["text.pl", "lib/Test/Simple.pm"]),
    "r": (["tests/testthat/test-a.R", "test_a.R", "tests/a.R"], ["R/latest.R", "R/contest.R"]),
    "julia": (["test/runtests.jl", "test/a.jl", "a_test.jl"], ["src/latest.jl", "src/contest.jl"]),
    "lua": (["spec/a_spec.lua", "a_test.lua", "test_a.lua"], ["latest.lua", "inspect.lua"]),
    "clojure": (["test/a/b_test.clj", "a_test.cljs", "test/core.cljc"], ["latest.clj", "contest/a.clj"]),
    "erlang": (["test/a_SUITE.erl", "a_tests.erl", "prop_a.erl"], ["attest.erl", "suite.erl"]),
    "c": (["tests/a.c", "test_a.c", "a_test.c"], ["protest.c", "attest/a.c"]),
    "cpp": (["a_test.cc", "FooTest.cpp", "a_unittest.cc"], ["contest.cpp", "attestation.hpp"]),
    "shell": (["a.bats", "test_a.sh", "tests/run.sh"], ["latest.sh", "contest.sh"]),
    "powershell": (["A.Tests.ps1", "tests/a.ps1", "A.Test.ps1"], ["Contests.ps1", "Attest.ps1"]),
    "ocaml": (["test/a.ml", "test_a.ml", "a_test.ml"], ["latest.ml", "contest.ml"]),
    "zig": (["test/a.zig", "a_test.zig", "src/tests.zig"], ["latest.zig", "attest.zig"]),
    "nim": (["tests/ta.nim", "test_a.nim", "t_a.nim"], ["latest.nim", "attest.nim"]),
    "solidity": (["test/A.t.sol", "A.t.sol", "ATest.sol"], ["Attest.sol", "Contest.sol"]),
    "groovy": (["ASpec.groovy", "ATest.groovy", "src/test/groovy/A.groovy"], ["Inspect.groovy", "Latest.groovy"]),
    "verilog": (["a_tb.v", "tb_a.v", "test/a.v"], ["tbone.v", "latest.v"]),
    "crystal": (["spec/a_spec.cr", "a_spec.cr", "spec/helper.cr"], ["inspect.cr", "special.cr"]),
}


@pytest.mark.parametrize("path", [path for tests, _ in PATHS.values() for path in tests])
def test_tests_are_known_by_their_paths(path: str) -> None:
    assert TABLE.is_test(path)
    assert TABLE.is_test(f"some/where/{path}")


@pytest.mark.parametrize("path", [path for _, others in PATHS.values() for path in others])
def test_other_files_are_no_tests(path: str) -> None:
    assert not TABLE.is_test(path)


@pytest.mark.parametrize("path", ["tests/data.json", "tests/README.md", "test/photo.unknown", "test_a/b.py", "LICENSE"])
def test_data_prose_and_files_beside_tests_are_no_tests(path: str) -> None:
    assert not TABLE.is_test(path)


@pytest.mark.parametrize("language", PATHS)
def test_the_examples_are_in_the_language_they_stand_under(language: str) -> None:
    assert {TABLE.detect(path) for path in PATHS[language][0]} == {language}
