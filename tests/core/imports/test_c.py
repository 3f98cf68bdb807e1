from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.imports import c
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined

_LANGUAGES = {"c": "c", "h": "c", "m": "objective_c", "cu": "cuda", "cuh": "cuda"}
_GRAMMARS = {"c": "c", "cpp": "cpp", "objective_c": "objc", "cuda": "cuda"}


def language_of(path: str) -> str:
    return _LANGUAGES.get(path.rpartition(".")[2], "cpp")


def outline(text: str, language: str) -> Outline:
    return c.outline(trees.parse(text, _GRAMMARS[language]), language)


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [Source(path, language_of(path), outline(text, language_of(path))) for path, text in files.items()]
    return joined(sources, c.edges)


@pytest.mark.parametrize("language", c.LANGUAGES)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('#include "a.h"\n#include <b/c.h>\n', ('"a.h"', "<b/c.h>")),
        ('  #  include   "a.h" // why\n', ('"a.h"',)),
        ('#import "a.h"\n#import <B/C.h>\n', ('"a.h"', "<B/C.h>")),
        ('#if A\n#include "a.h"\n#else\n#include "b.h"\n#endif\n', ('"a.h"', '"b.h"')),
        ('#include "a.h"\n#include "a.h"\n', ('"a.h"',)),
        ('#include CONFIG\n#include_next <a.h>\n// #include "b.h"\nchar *s = "#include <c.h>";\n', ()),
        ("", ()),
    ],
)
def test_what_is_included(language: str, text: str, expected: tuple[str, ...]) -> None:
    assert outline(text, language) == ((), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("export module a.b;\nimport c;\nexport import d;\n", (("a.b",), ("c", "d"))),
        ("export module a:p;\nimport :q;\n", (("a:p",), ("a:q",))),
        ("module a;\n", ((), ("a",))),
        ('module;\n#include "x.h"\nexport module a;\n', (("a",), ('"x.h"',))),
        ('import <vector>;\nimport "a.h";\n', ((), ("<vector>", '"a.h"'))),
    ],
)
def test_modules_of_cpp(text: str, expected: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    assert outline(text, "cpp") == expected


@pytest.mark.parametrize(
    ("written", "others", "expected"),
    [
        # From src/net/a.c.
        ('"b.h"', ["src/net/b.h", "include/b.h", "b.h"], "src/net/b.h"),
        ('"../b.h"', ["src/b.h", "src/net/b.h", "b.h"], "src/b.h"),
        ('"..\\\\b.h"', ["src/b.h"], "src/b.h"),
        ('"net/b.h"', ["src/net/b.h", "old/net/b.h"], "src/net/b.h"),
        ('"b.h"', ["include/b.h", "third_party/zlib/b.h"], "include/b.h"),
        ('"b.h"', ["third_party/zlib/b.h", "src/util/b.h"], "src/util/b.h"),
        ('"b.h"', ["lib/x/b.h"], "lib/x/b.h"),
        ('"../../../x/b.h"', ["include/x/b.h"], "include/x/b.h"),
        # Tests and examples are for themselves.
        ('"b.h"', ["tests/b.h"], None),
        ('"b.h"', ["docs/examples/include/b.h"], None),
        ('"tests/b.h"', ["tests/b.h"], "tests/b.h"),
        # What is in angle brackets lies on the include path.
        ("<b.h>", ["include/b.h"], "include/b.h"),
        ("<b.h>", ["src/b.h"], "src/b.h"),
        ("<b.h>", ["src/net/b.h"], "src/net/b.h"),
        ("<b.h>", ["third_party/x/b.h"], None),
        ("<lib/b.h>", ["include/lib/b.h", "tools/lib/b.h"], "include/lib/b.h"),
        ("<lib/b.h>", ["Pods/lib/b.h"], "Pods/lib/b.h"),
        ("<lib/b.h>", ["x/lib/b.h", "y/lib/b.h"], None),
        ("<lib/b.h>", ["include/b.h"], None),
        # The system's own.
        ("<string.h>", ["include/string.h"], None),
        ("<sys/types.h>", ["compat/sys/types.h"], None),
        ('"string.h"', ["include/string.h"], "include/string.h"),
        ('"string.h"', ["compat/string.h"], None),
        ("<vector>", ["src/vector"], "src/vector"),
        ("<vector>", ["x/vector.h"], None),
        # Frameworks.
        ("<Kit/B.h>", ["Sources/B.h", "Kit/Kit.h"], "Sources/B.h"),
        ("<Kit/B.h>", ["Sources/B.h"], None),
        ("<Kit/B.h>", ["Sources/B.h", "More/B.h", "Kit/Kit.h"], None),
        ('"missing.h"', ["include/b.h"], None),
        ('".."', ["src/net"], None),
    ],
)
def test_the_file_that_an_include_means(written: str, others: list[str], expected: str | None) -> None:
    files = {"src/net/a.c": f"#include {written}\n", **dict.fromkeys(others, "")}
    assert edges(files) == ({("src/net/a.c", expected)} if expected else set())


def test_what_lies_with_tests_is_seen_from_there() -> None:
    files = {"tests/unit/a.c": '#include "b.h"\n', "tests/common/b.h": "", "src/c.c": '#include "b.h"\n'}
    assert edges(files) == {("tests/unit/a.c", "tests/common/b.h")}


def test_a_source_file_uses_its_header() -> None:
    files = {
        "a.c": "",
        "a.h": "",
        "b.cpp": '#include "b.hpp"\n',
        "b.hpp": "",
        "c.m": "",
        "d/c.h": "",
        "e.cu": "",
        "e.cuh": "",
    }
    assert edges(files) == {("a.c", "a.h"), ("b.cpp", "b.hpp"), ("e.cu", "e.cuh")}


def test_a_header_that_includes_its_source_comes_after_it() -> None:
    assert edges({"a.cpp": "", "a.hpp": '#include "a.cpp"\n'}) == {("a.hpp", "a.cpp")}


def test_modules_are_found_by_name() -> None:
    files = {
        "src/a.cppm": "export module a;\nimport :p;\n",
        "src/p.cppm": "export module a:p;\n",
        "src/a.cpp": "module a;\n",
        "main.cpp": "import a;\nimport std;\n",
    }
    assert edges(files) == {
        ("src/a.cppm", "src/p.cppm"),
        ("src/a.cpp", "src/a.cppm"),
        ("main.cpp", "src/a.cppm"),
    }


def test_no_file_uses_itself() -> None:
    assert edges({"a.h": '#include "a.h"\n#include <a.h>\n'}) == set()


_PATHS = st.lists(st.sampled_from(["src", "include", "tests", "x", "y"]), max_size=3).map("/".join)
_FILES = st.dictionaries(
    st.tuples(_PATHS, st.sampled_from(["a.h", "b.h", "a.c", "b.c"])).map(lambda parts: "/".join(filter(None, parts))),
    st.lists(st.sampled_from(['"a.h"', '"x/b.h"', "<a.h>", "<y/a.h>", '"../b.h"', "<x/a.h>"]), max_size=4),
    max_size=12,
)


@given(_FILES, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_edges_do_not_depend_on_the_order_of_files(files: dict[str, list[str]], random: Random) -> None:
    texts = {path: "".join(f"#include {each}\n" for each in includes) for path, includes in files.items()}
    shuffled = list(texts.items())
    random.shuffle(shuffled)
    assert edges(texts) == edges(dict(shuffled))


def test_many_files_of_one_name() -> None:
    sources = [Source(f"d{i}/config.h", "c", Outline((), ())) for i in range(10_000)]
    sources += [Source(f"d{i}/src/a.c", "c", Outline((), ('"config.h"', "<config.h>"))) for i in range(10_000)]
    assert sorted(c.edges(sources)) == [(10_000 + i, i) for i in range(10_000)]


def test_a_path_of_very_many_folders() -> None:
    deep = "d/" * 50_000
    sources = [Source(f"{deep}a.c", "c", Outline((), ('"b.h"',))), Source(f"{deep}b.h", "c", Outline((), ()))]
    assert list(c.edges(sources)) == [(0, 1)]
