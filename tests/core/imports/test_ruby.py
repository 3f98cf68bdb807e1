from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.imports import ruby
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined


def outline(text: str) -> Outline:
    return ruby.outline(trees.parse(text, "ruby"), "ruby")


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [Source(path, "ruby", outline(text)) for path, text in files.items()]
    return joined(sources, ruby.edges)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("require 'a/b'\nrequire(\"c.rb\")\nload './d.rb'", ("require a/b", "require c.rb", "require ./d.rb")),
        ("require_relative 'a'\nrequire_relative '../b'", ("relative a", "relative ../b")),
        ("require 'a'\nrequire 'a'", ("require a",)),
        ("require File.expand_path('../a', __FILE__)", ("relative a",)),
        ("require File.expand_path('../../a', __FILE__)", ("relative ../a",)),
        ("require File.expand_path('../a', __dir__)", ("relative ../a",)),
        ("require File.join(File.dirname(__FILE__), 'a', 'b')", ("relative a/b",)),
        ("require File.dirname(__FILE__) + '/a'", ("relative a",)),
        ("require File.join(ROOT, 'a')\nrequire a\nrequire \"a#{b}\"\nrequire 'a' + b\nrequire", ()),
        ("x.require 'a'\nputs 'require'\n# require 'b'", ()),
        ("module A\n  autoload :B, 'c/d'\nend", ("require c/d",)),
        (
            "module A\n  class B::HTTPServer\n    autoload :CodeBlock\n  end\nend",
            ("require a/b/http_server/code_block",),
        ),
        (
            "module A\n  eager_autoload do\n autoload_under 'x' do\n autoload :B\n end\n autoload :C\n  end\nend",
            ("require a/x/b", "require a/c"),
        ),
        ("autoload\nautoload x\nautoload_under\nrequire ''", ()),
        ("", ()),
    ],
)
def test_what_is_required(text: str, expected: tuple[str, ...]) -> None:
    assert outline(text) == ((), expected)


@pytest.mark.parametrize(
    ("line", "others", "expected"),
    [
        # From lib/app/x.rb.
        ("require_relative 'y'", ["lib/app/y.rb", "y.rb"], "lib/app/y.rb"),
        ("require_relative '../y.rb'", ["lib/y.rb"], "lib/y.rb"),
        ("require_relative 'y'", ["lib/y.rb"], None),
        ("require 'app/y'", ["lib/app/y.rb"], "lib/app/y.rb"),
        ("require 'app/y'", ["other/lib/app/y.rb"], "other/lib/app/y.rb"),
        ("require 'app/y'", ["lib/app/y.rb", "other/lib/app/y.rb"], "lib/app/y.rb"),
        ("require 'json'", ["lib/json.rb"], "lib/json.rb"),
        ("require 'json'", ["app/data/json.rb"], None),
        ("require 'json'", ["json.rb"], None),
        ("require 'json'", ["test/fixtures/lib/json.rb"], None),
        ("require 'test_helper'", ["test/test_helper.rb"], None),
        ("require './y'", ["y.rb"], "y.rb"),
        ("load './tasks/y.rake'", ["tasks/y.rake"], "tasks/y.rake"),
    ],
)
def test_the_file_that_is_required(line: str, others: list[str], expected: str | None) -> None:
    files = {"lib/app/x.rb": line, **dict.fromkeys(others, "")}
    assert edges(files) == ({("lib/app/x.rb", expected)} if expected else set())


def test_what_lies_with_tests_is_found_from_there() -> None:
    files = {
        "a/test/x/y_test.rb": "require 'test_helper'\nrequire 'a'",
        "a/test/test_helper.rb": "",
        "a/lib/a.rb": "",
        "b/test/test_helper.rb": "",
        "b/lib/a.rb": "",
    }
    assert edges(files) == {("a/test/x/y_test.rb", "a/test/test_helper.rb"), ("a/test/x/y_test.rb", "a/lib/a.rb")}


def test_no_file_uses_itself() -> None:
    assert edges({"lib/a.rb": "require 'a'\nrequire_relative 'a'"}) == set()


_PATHS = st.tuples(st.sampled_from(["lib", "x/lib", "test", "x"]), st.sampled_from(["a.rb", "b.rb"])).map("/".join)


@given(
    st.dictionaries(
        _PATHS, st.lists(st.sampled_from(["require 'a'", "require_relative 'b'", "require './x/a'"])).map("\n".join)
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=50, deadline=None)
def test_edges_do_not_depend_on_the_order_of_files(files: dict[str, str], random: Random) -> None:
    shuffled = list(files.items())
    random.shuffle(shuffled)
    assert edges(files) == edges(dict(shuffled))


def test_many_files_of_one_name() -> None:
    n = 10_000
    sources = [Source(f"d{i}/lib/version.rb", "ruby", Outline((), ())) for i in range(n)]
    sources += [Source(f"d{i}/lib/d/x.rb", "ruby", Outline((), ("require version",))) for i in range(n)]
    assert sorted(ruby.edges(sources)) == [(n + i, i) for i in range(n)]
