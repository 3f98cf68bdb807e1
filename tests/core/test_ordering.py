"""The order of a project's files, and the context of each."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill.core import ordering
from codemill.core.ordering import File

Edges = list[tuple[int, int]]
Uses = Mapping[str, str]
"""By path, the paths that a file uses, with blanks between."""


def edges_of(paths: Sequence[str], uses: Uses) -> Edges:
    return [(paths.index(user), paths.index(used)) for user, all_used in uses.items() for used in all_used.split()]


def ordered(paths: str, uses: Uses, words: Mapping[str, str] | None = None) -> list[str]:
    """Order files given by their paths, with blanks between, and the words in them."""
    each = paths.split()
    files = [File(path, 100, dict.fromkeys((words or {}).get(path, "").split(), 1)) for path in each]
    found = ordering.order(files, edges_of(each, uses), seed=1, project_id="p", random_share=0)
    return [each[index] for index in found]


def context(shown_for: str, order: str, uses: Uses, *, budget: int = 1_000, most: int = 9, size: str = "") -> str:
    """Return what is shown before a file; files have 100 bytes, or the size given as ``path=bytes``."""
    paths = order.split()
    sizes = dict(each.split("=") for each in size.split())
    files = [File(path, int(sizes.get(path, 100)), {}) for path in paths]
    found = ordering.contexts(range(len(files)), files, edges_of(paths, uses), budget=budget, most=most)
    return " ".join(paths[index] for index in found[paths.index(shown_for)])


def test_what_is_used_stands_before_its_user() -> None:
    uses = {"app.py": "config.py views.py", "views.py": "config.py", "main.py": "app.py"}
    assert ordered("app.py config.py main.py views.py", uses) == ["config.py", "views.py", "app.py", "main.py"]


def test_a_file_follows_what_it_uses_before_another_branch_begins() -> None:
    uses = {"main": "a b", "a": "a1", "b": "b1"}
    assert ordered("a a1 b b1 main", uses) == ["a1", "a", "b1", "b", "main"]


def test_what_lies_in_the_same_folder_stands_closer() -> None:
    assert ordered("app/a app/main lib/z", {"app/main": "app/a lib/z"}) == ["lib/z", "app/a", "app/main"]


def test_a_cycle_is_kept_together_and_broken_where_the_search_comes_back() -> None:
    uses = {"c": "a", "a": "b", "b": "c base", "main": "b"}
    assert ordered("main c b a base", uses) == ["base", "a", "c", "b", "main"]


def test_a_cycle_that_nobody_uses_stands_behind_what_it_uses() -> None:
    assert ordered("a b z", {"a": "b", "b": "a z"}) == ["z", "b", "a"]


def test_files_of_two_parts_do_not_mix() -> None:
    uses = {"a_test": "a", "b_test": "b", "z_test": "a"}
    assert ordered("a a_test b b_test z_test", uses) == ["a", "a_test", "z_test", "b", "b_test"]


def test_documentation_and_build_files_come_first() -> None:
    paths = (
        "docs/guide.md docs/README.rst LICENSE Makefile README.zh.md data.json pkg/app.py pkg/CMakeLists.txt readme.py"
    )
    assert ordered(paths, {"pkg/app.py": "readme.py"}) == [
        "README.zh.md",
        "LICENSE",
        "Makefile",
        "docs/README.rst",
        "docs/guide.md",
        "pkg/CMakeLists.txt",
        "data.json",
        "readme.py",
        "pkg/app.py",
    ]


def test_a_build_file_that_uses_others_stands_behind_them() -> None:
    assert ordered("setup.py version.py", {"setup.py": "version.py"}) == ["version.py", "setup.py"]


def test_a_file_that_uses_only_itself_stands_alone() -> None:
    assert ordered("README.md a.py", {"README.md": "README.md"}) == ["README.md", "a.py"]
    assert ordered("a.py b.md", {"b.md": "b.md"}) == ["b.md", "a.py"]


def test_parts_stand_where_most_of_their_files_lie_behind_what_stands_alone_there() -> None:
    paths = "a/x.json src/app.py src/config.py src/sql/get.sql src/style.css tests/data.json tests/test_app.py z.json"
    assert ordered(paths, {"src/app.py": "src/config.py", "tests/test_app.py": "src/app.py"}) == [
        "z.json",
        "a/x.json",
        "src/style.css",
        "src/sql/get.sql",
        "src/config.py",
        "src/app.py",
        "tests/test_app.py",
        "tests/data.json",
    ]


def test_of_two_folders_with_as_many_files_of_a_part_the_first_is_its_home() -> None:
    assert ordered("a/x.py b/y.py b/z.css", {"b/y.py": "a/x.py"}) == ["a/x.py", "b/y.py", "b/z.css"]


def test_all_folders_lie_below_the_project() -> None:
    assert ordered("index.js lib/x.css util.js", {"index.js": "util.js"}) == ["lib/x.css", "util.js", "index.js"]


def test_files_that_stand_alone_are_chained_by_likeness_in_their_folders() -> None:
    words = {"x/a.sql": "user login", "x/b.sql": "invoice", "x/c.sql": "login session", "y/d.sql": "user login"}
    assert ordered("y/d.sql x/c.sql x/b.sql x/a.sql", {}, words) == ["x/a.sql", "x/c.sql", "x/b.sql", "y/d.sql"]


def test_chains_go_through_files_of_one_folder_and_kind_only() -> None:
    words = {"x/a.sql": "user", "x/b.sql": "invoice", "x/c.sql": "login", "y/d.sql": "user login"}
    assert ordered("x/a.sql x/b.sql x/c.sql y/d.sql", {}, words) == ["x/a.sql", "x/b.sql", "x/c.sql", "y/d.sql"]
    words = {"a.sql": "user", "b.sql": "invoice", "c.sql": "login", "d.md": "user login"}
    assert ordered("a.sql b.sql c.sql d.md", {}, words) == ["d.md", "a.sql", "b.sql", "c.sql"]


def test_a_folder_sorts_before_what_only_begins_like_it() -> None:
    assert ordered("a-b/x a/z/x a/x x", {}) == ["x", "a/x", "a/z/x", "a-b/x"]


def test_a_project_may_be_empty() -> None:
    assert ordered("", {}) == []
    assert ordering.contexts([], [], [], budget=1, most=1) == []


def test_chains_and_cycles_may_be_long() -> None:
    count = 50_000
    files = [File(f"{i:05}", 1, {}) for i in range(count)]
    upwards = [(i, i + 1) for i in range(count - 1)]
    assert ordering.order(files, upwards, seed=1, project_id="p", random_share=0) == list(reversed(range(count)))
    downwards = [(i + 1, i) for i in range(count - 1)]
    assert ordering.order(files, downwards, seed=1, project_id="p", random_share=0) == list(range(count))
    cycle = [*upwards, (count - 1, 0)]
    assert ordering.order(files, cycle, seed=1, project_id="p", random_share=0) == list(reversed(range(count)))


@pytest.mark.parametrize("edge", [(0, 2), (-1, 0)])
def test_an_edge_to_a_file_that_is_not_there_is_refused(edge: tuple[int, int]) -> None:
    files = [File("a", 1, {}), File("b", 1, {})]
    with pytest.raises(ValueError, match="allowed is 0 to 1"):
        ordering.order(files, [edge], seed=1, project_id="p", random_share=0)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_between_0_and_1(share: float) -> None:
    with pytest.raises(ValueError, match="random_share: found"):
        ordering.order([], [], seed=1, project_id="p", random_share=share)


def test_a_share_of_the_files_leaves_its_place_and_the_rest_stays_in_order() -> None:
    files = [File(f"{i:04}", 1, {}) for i in range(1_000)]
    found = ordering.order(files, [], seed=1, project_id="p", random_share=0.1)
    assert 880 < _longest_rise(found) < 960
    assert all(80 < _longest_rise(found[start : start + 100]) < 100 for start in (0, 450, 900))
    assert found != ordering.order(files, [], seed=2, project_id="p", random_share=0.1)
    assert found != ordering.order(files, [], seed=1, project_id="q", random_share=0.1)


def test_a_random_share_of_1_is_a_uniform_permutation() -> None:
    files = [File(path, 1, {}) for path in "abc"]
    seen = Counter(
        tuple(ordering.order(files, [(0, 1)], seed=seed, project_id="p", random_share=1)) for seed in range(600)
    )
    assert len(seen) == 6
    assert all(70 < count < 130 for count in seen.values())


def _longest_rise(numbers: list[int]) -> int:
    ends: list[int] = []
    for number in numbers:
        place = bisect_left(ends, number)
        ends[place : place + 1] = [number]
    return len(ends)


def test_what_a_file_uses_is_nearest_to_it_then_what_that_uses_then_what_stands_before_it() -> None:
    uses = {"main": "app", "app": "config"}
    assert context("main", "config app other main", uses) == "other config app"
    assert context("main", "config app other main", uses, most=2) == "config app"
    assert context("main", "config app other main", uses, most=1) == "app"


def test_what_is_used_stands_before_its_user_even_where_it_is_more_relevant() -> None:
    assert context("main", "used app main", {"main": "used", "app": "used"}) == "used app"


def test_what_is_used_by_way_of_others_stands_before_them_all() -> None:
    uses = {"main": "one two", "two": "one", "other": "two"}
    assert context("main", "one two other main", uses) == "one two other"


def test_what_fewest_others_use_tells_most() -> None:
    uses = {"main": "errors parser", "other": "errors"}
    assert context("main", "parser errors other main", uses, most=1) == "parser"


def test_files_are_shown_whole_or_not_at_all() -> None:
    uses = {"main": "large small"}
    assert context("main", "large small other main", uses, budget=250, size="large=201 small=50") == "other small"
    assert context("main", "large small other main", uses, budget=251, size="large=201 small=50") == "large small"
    assert context("main", "small main", uses={}, budget=99) == ""


def test_a_file_that_is_shown_counts_once() -> None:
    assert context("main", "other app main", {"main": "app"}, budget=250) == "other app"


def test_empty_files_are_not_shown() -> None:
    assert context("main", "a __init__ main", {"main": "__init__"}, size="__init__=0") == "a"


def test_files_that_come_later_are_not_shown() -> None:
    assert context("main", "a main b", {"main": "b"}) == "a"


def test_a_file_that_uses_all_others_is_looked_at_in_part() -> None:
    names = [f"{number:04}" for number in range(1_000)]
    order = " ".join([*names, "all"])
    uses = {"all": " ".join(names)}
    assert context("all", order, uses, most=2) == "0998 0999"
    too_large = " ".join(f"{name}=2000" for name in names[500:])
    assert context("all", order, uses, most=2, size=too_large) == ""
    assert context("main", f"{order} main", {**uses, "main": "all"}, most=2, size=too_large) == "all"


@st.composite
def projects(draw: st.DrawFn) -> tuple[list[File], Edges]:
    paths = draw(st.lists(st.from_regex(r"([ab]/){0,2}([cd]|readme|makefile)[12]?", fullmatch=True), unique=True))
    terms = st.dictionaries(st.sampled_from(["lexer", "socket", "user"]), st.integers(1, 3))
    files = [File(path, draw(st.integers(0, 5)), draw(terms)) for path in paths]
    index = st.integers(0, max(len(files) - 1, 0))
    return files, draw(st.lists(st.tuples(index, index), max_size=20 if files else 0))


def _reached(files: int, edges: Edges) -> list[set[int]]:
    """Return what each file uses, by whatever many steps, and the file itself."""
    reached = [{index} for index in range(files)]
    for _ in range(files):
        for user, used in edges:
            reached[user] |= reached[used]
    return reached


@given(projects())
@settings(max_examples=150, deadline=None)
def test_every_edge_between_cycles_is_respected_and_cycles_stand_together(project: tuple[list[File], Edges]) -> None:
    files, edges = project
    found = ordering.order(files, edges, seed=1, project_id="p", random_share=0)
    assert sorted(found) == list(range(len(files)))
    place = {index: at for at, index in enumerate(found)}
    reached = _reached(len(files), edges)
    assert all(place[used] < place[user] for user, used in edges if user not in reached[used])
    for index in found:
        cycle = [other for other in found if other in reached[index] and index in reached[other]]
        assert place[cycle[-1]] - place[cycle[0]] == len(cycle) - 1


@given(projects())
@settings(max_examples=150, deadline=None)
def test_files_joined_by_edges_stand_together(project: tuple[list[File], Edges]) -> None:
    files, edges = project
    found = ordering.order(files, edges, seed=1, project_id="p", random_share=0)
    parts = _reached(len(files), [*edges, *((used, user) for user, used in edges)])
    for part in parts:
        places = [at for at, index in enumerate(found) if index in part]
        assert places == list(range(places[0], places[0] + len(part)))


@given(projects(), st.sampled_from([0, 0.5, 1]), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_the_input_does_not_matter(
    project: tuple[list[File], Edges], share: float, random: Random
) -> None:
    files, edges = project
    now_at = list(range(len(files)))
    random.shuffle(now_at)
    shuffled = [files[now_at.index(at)] for at in range(len(files))]
    same_edges = [(now_at[user], now_at[used]) for user, used in edges]
    random.shuffle(same_edges)
    first = ordering.order(files, edges, seed=1, project_id="p", random_share=share)
    second = ordering.order(shuffled, same_edges, seed=1, project_id="p", random_share=share)
    assert [files[index].path for index in first] == [shuffled[index].path for index in second]
    shown = ordering.contexts(first, files, edges, budget=9, most=3)
    same = ordering.contexts(second, shuffled, same_edges, budget=9, most=3)
    assert [[now_at[each] for each in context] for context in shown] == [same[at] for at in now_at]


@given(projects(), st.integers(0, 12), st.integers(0, 4), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_contexts_keep_to_the_budget_and_to_what_stands_before(
    project: tuple[list[File], Edges], budget: int, most: int, random: Random
) -> None:
    files, edges = project
    order = list(range(len(files)))
    random.shuffle(order)
    for index, shown in enumerate(ordering.contexts(order, files, edges, budget=budget, most=most)):
        assert len(shown) == len(set(shown)) <= most
        assert sum(files[each].size for each in shown) <= budget
        assert set(shown) <= set(order[: order.index(index)])
        for user, used in edges:
            if {user, used} <= set(shown) and order.index(used) < order.index(user):
                assert shown.index(used) < shown.index(user)
