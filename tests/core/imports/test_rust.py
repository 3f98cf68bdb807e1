from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import trees
from codemill.core.imports import rust
from codemill.core.imports.source import Outline, Source
from tests.core.imports.joined import joined


def outline(text: str) -> Outline:
    return rust.outline(trees.parse(text, "rust"), "rust")


def edges(files: dict[str, str]) -> set[tuple[str, str]]:
    sources = [Source(path, "rust", outline(text)) for path, text in files.items()]
    return joined(sources, rust.edges)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mod a; pub(crate) mod b;", ("mod a", "mod b")),
        ('#[path = "x/y.rs"]\n// why\n#[macro_use]\nmod a;', ("mod a = x/y.rs",)),
        ('#[path = "x.rs"] fn f() {} mod a;', ("mod a",)),
        ("#[cfg(test)]\nmod tests;\n#[cfg(all(test, unix))] mod more;", ("test mod tests", "test mod more")),
        ("#[cfg(not(test))] mod a;", ("mod a",)),
        ("mod a { mod b; }", ("mod a::b",)),
        ("use crate::a::B; pub use self::c::D as E;", ("use crate::a::B", "use self::c::D as E")),
        (
            "use a::{self, b::*, c as d, /* why */ e::{f, self as g}};",
            ("use a", "use a::b::*", "use a::c as d", "use a::e::f", "use a::e as g"),
        ),
        ("use {a, b::c}; use ::d::e; use ::{f}; use *;", ("use a", "use b::c", "use ::d::e", "use ::f", "use *")),
        ("use crate::r#type::r#fn;", ("use crate::type::fn",)),
        ("extern crate a; extern crate b as c; extern crate self as d;", ("use ::a", "use ::b as c")),
        ("fn f() { crate::a::b::<T>(); let x: super::T<u8> = y; }", ("crate::a::b", "super::T")),
        ("fn f() { other::g(); self.x(); Self::y(); }", ()),
        ("impl crate::a::T for crate::a::U {}", ("crate::a::T", "crate::a::U")),
        ("mod tests { use super::*; use super::super::a; }", ("use self::* as tests::*", "use super::a as tests::a")),
        ("mod a { mod b { use super::C; use self::d; use e::F; } }",
         ("use self::a::C as a::b::C", "use self::a::b::d as a::b::d", "use e::F as a::b::F")),
        ("mod a { } use super::b;", ("use super::b",)),
        ("// use a;\nmacro_rules! m { () => { use crate::a; } }", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_what_is_imported(text: str, expected: tuple[str, ...]) -> None:
    assert outline(text).imports == expected


def test_what_is_declared() -> None:
    text = (
        "pub struct A; enum B {} union C { x: u8 } trait D {} type E = u8; fn f() { struct Inner; } const G: u8 = 1;\n"
        "static H: u8 = 1; macro_rules! m { () => {} } mod a { pub struct I; mod b { fn j() {} } } mod other;\n"
        "#[proc_macro_derive(K, attributes(k))] pub fn derive(x: T) {} impl A { fn method() {} }"
    )
    assert set(outline(text).declares) == {
        *("A", "B", "C", "D", "E", "f", "G", "H", "m", "m!", "a::", "a::I", "a::b::", "a::b::j", "K", "derive")
    }


def test_modules_are_files() -> None:
    files = {
        "src/lib.rs": "mod a; mod b; mod missing; mod inline { mod deep; }",
        "src/a.rs": "mod x;",
        "src/a/x.rs": "",
        "src/x.rs": "",
        "src/b/mod.rs": 'mod x; #[path = "odd.rs"] mod y;',
        "src/b/x.rs": "",
        "src/b/odd.rs": "",
        "src/inline/deep.rs": "",
    }
    assert edges(files) == {
        ("src/lib.rs", "src/a.rs"),
        ("src/lib.rs", "src/b/mod.rs"),
        ("src/lib.rs", "src/inline/deep.rs"),
        ("src/a.rs", "src/a/x.rs"),
        ("src/b/mod.rs", "src/b/x.rs"),
        ("src/b/mod.rs", "src/b/odd.rs"),
    }


def test_modules_lie_beside_the_top_of_a_crate() -> None:
    files = {
        "src/bin/tool.rs": "mod args;",
        "src/bin/args.rs": "",
        "tests/it.rs": "mod common;",
        "tests/common/mod.rs": "pub fn f() {}",
        "src/a.rs": "mod b;",
        "src/b.rs": "",
        "src/lib.rs": "mod a; mod b;",
    }
    assert edges(files) == {
        ("src/bin/tool.rs", "src/bin/args.rs"),
        ("tests/it.rs", "tests/common/mod.rs"),
        ("src/lib.rs", "src/a.rs"),
        ("src/lib.rs", "src/b.rs"),
    }


def test_modules_of_tests_use_what_they_test() -> None:
    files = {"src/lib.rs": "#[cfg(test)] mod tests; pub fn f() {}", "src/tests.rs": "use super::*;"}
    assert edges(files) == {("src/tests.rs", "src/lib.rs")}


_CRATE = {
    "src/lib.rs": "mod a; pub mod b; pub use self::b::c::Deep; pub use b::*; pub mod prelude { pub use super::a::A; }\n"
    "pub struct Top;\nmacro_rules! top { () => {} }",
    "src/a.rs": "pub struct A; pub fn f() {}",
    "src/b/mod.rs": "pub mod c; pub struct B;",
    "src/b/c.rs": "pub struct Deep; #[macro_export] macro_rules! deep { () => {} }",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # In src/b/user.rs.
        ("use crate::a::A;", "src/a.rs"),
        ("use crate::a;", "src/a.rs"),
        ("use crate::a::*;", "src/a.rs"),
        ("use crate::b::c::Deep;", "src/b/c.rs"),
        ("use super::B;", "src/b/mod.rs"),
        ("use super::c::Deep;", "src/b/c.rs"),
        ("use super::super::a::A;", "src/a.rs"),
        ("fn f() { crate::a::f(); }", "src/a.rs"),
        ("mod tests { use super::super::c::Deep; }", "src/b/c.rs"),
        # Through what others re-export.
        ("use crate::Deep;", "src/b/c.rs"),
        ("use crate::B;", "src/b/mod.rs"),
        ("use crate::prelude::A;", "src/a.rs"),
        ("use crate::Top;", "src/lib.rs"),
        ("use crate::deep;", "src/b/c.rs"),
        ("use crate::a; use a::A;", "src/a.rs"),
        # What a module above does not declare is no reason to use it; one elsewhere may have it from a macro.
        ("use crate::Missing;", None),
        ("use super::Missing;", None),
        ("use crate::a::Missing;", "src/a.rs"),
        # Other crates, although a module is called so.
        ("use a::A;", None),
        ("use std::a::A;", None),
        ("use super::super::super::a;", None),
    ],
)
def test_the_file_that_a_path_leads_to(text: str, expected: str | None) -> None:
    files = {**_CRATE, "src/b/user.rs": text, "src/x.rs": "use crate::nothing;"}
    assert edges(files) - edges(_CRATE) == ({("src/b/user.rs", expected)} if expected else set())


def test_before_2018_paths_begin_at_the_top() -> None:
    files = {
        "src/lib.rs": "mod a; mod b; extern crate log;",
        "src/a.rs": "pub struct A;",
        "src/b.rs": "use a::A; use ::a::f;",
    }
    assert edges(files) == {("src/lib.rs", "src/a.rs"), ("src/lib.rs", "src/b.rs"), ("src/b.rs", "src/a.rs")}


def test_modules_that_macros_declare_are_known_by_their_place() -> None:
    files = {
        "src/lib.rs": "cfg! { mod a; mod c; pub use a::A; pub use c::Both; }",
        "src/a.rs": "pub struct A; pub struct Both;",
        "src/c.rs": "pub struct Both;",
        "src/b.rs": "use crate::a::A; use crate::A as B; use crate::Both;",
    }
    assert edges(files) == {("src/b.rs", "src/a.rs")}


def test_circles_of_re_exports_end() -> None:
    files = {
        "src/lib.rs": "mod a; mod b; pub use a::*; pub use b::*; pub use self::X as Y; pub use self::Y as X;",
        "src/a.rs": "pub use crate::*; pub use super::b::*;",
        "src/b.rs": "pub use crate::*; pub use super::a::*; use crate::X; use crate::Y::Z; pub struct B;",
    }
    assert ("src/b.rs", "src/a.rs") in edges(files)


def test_crates_of_a_workspace() -> None:
    files = {
        "crates/my-core/src/lib.rs": "pub mod m; pub struct Core;",
        "crates/my-core/src/m.rs": "pub struct M;",
        "crates/parser/src/lib.rs": "pub struct Parser; pub fn parse() {}",
        "crates/serde/src/lib.rs": "pub struct Ours;",
        "app/src/main.rs": "use my_core::{m::M, Core}; use my_parser::{parse, Parser}; use serde::Serialize;",
    }
    assert edges(files) == {
        ("crates/my-core/src/lib.rs", "crates/my-core/src/m.rs"),
        ("app/src/main.rs", "crates/my-core/src/m.rs"),
        ("app/src/main.rs", "crates/my-core/src/lib.rs"),
        ("app/src/main.rs", "crates/parser/src/lib.rs"),
    }


def test_the_crate_at_the_top_is_known_by_what_is_in_it() -> None:
    files = {
        "src/lib.rs": "pub struct A; pub mod m; pub struct Error;",
        "src/m.rs": "pub struct M;",
        "src/main.rs": "use app::A; use clap::Parser; use anyhow::Error; mod cli;",
        "src/cli.rs": "use crate::x; use other::A;",
        "tests/it.rs": "extern crate app; use app::m::M; use m::M;",
        "tests/m.rs": "use app::A;",
    }
    assert edges(files) == {
        ("src/lib.rs", "src/m.rs"),
        ("src/main.rs", "src/lib.rs"),
        ("src/main.rs", "src/cli.rs"),
        ("tests/it.rs", "src/lib.rs"),
        ("tests/it.rs", "src/m.rs"),
        ("tests/m.rs", "src/lib.rs"),
    }


@pytest.mark.parametrize("text", ["use anyhow::{Error, Result};", "use other::{A, B, C};", "use other::B;"])
def test_a_crate_is_not_known_by_what_is_not_or_everywhere(text: str) -> None:
    assert edges({"src/lib.rs": "pub struct A; pub struct Error; pub struct Result;", "src/main.rs": text}) == set()


_PATHS = st.sampled_from(
    ["src/lib.rs", "src/main.rs", "src/a.rs", "src/a/mod.rs", "src/a/b.rs", "src/b.rs", "x/src/lib.rs"]
)
_LINES = [
    "mod a;",
    "mod b;",
    "pub use a::*;",
    "pub use self::b::*;",
    "use crate::a::B;",
    "use super::B;",
    "use crate::*;",
    "use x::B;",
    "pub struct B;",
    "pub use crate::B as C;",
    "use super::a::C;",
]


@given(
    st.dictionaries(_PATHS, st.lists(st.sampled_from(_LINES), max_size=5).map("\n".join), max_size=7),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100, deadline=None)
def test_edges_do_not_depend_on_the_order_of_files(files: dict[str, str], random: Random) -> None:
    shuffled = list(files.items())
    random.shuffle(shuffled)
    assert edges(files) == edges(dict(shuffled))


def test_many_files() -> None:
    n = 20_000
    sources = [Source("src/lib.rs", "rust", Outline((), tuple(f"mod m{i}" for i in range(n))))]
    sources += [
        Source(
            f"src/m{i}.rs", "rust", Outline((f"S{i}",), (f"use crate::m{(i + 1) % n}::S{(i + 1) % n}", "use super::*"))
        )
        for i in range(n)
    ]
    assert len(list(rust.edges(sources))) == 3 * n
