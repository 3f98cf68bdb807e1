from codemill.core.imports.folders import folders_above, seen_from, upwards
from codemill.core.imports.nearest import Nearest


def test_the_nearest() -> None:
    nearest = Nearest()
    for i, path in enumerate(["x/y/a.h", "x/b/a.h", "x/a.h", "z/w/a.h", "z/v/a.h"]):
        nearest.file("a.h", path, i)
    users = {"x/y/u.c": 0, "x/y/z/u.c": 0, "x/b/u.c": 1, "x/c/u.c": 2, "z/u.c": 4, "u.c": 2, "w/u.c": 2}
    assert {path: nearest.find("a.h", path) for path in users} == users


def test_what_is_seen_from_a_folder_alone() -> None:
    nearest = Nearest()
    nearest.file("one", "tests/a", 1, "tests/")
    nearest.file("two", "tests/a", 2, "tests/")
    nearest.file("two", "x/y/a", 3)
    assert [nearest.find("one", path) for path in ("tests/x/u", "x/u", "testsuite/u")] == [1, None, None]
    assert [nearest.find("two", path) for path in ("tests/x/u", "x/u", "u")] == [2, 3, 3]


def test_names() -> None:
    nearest = Nearest()
    nearest.file("a", "x", 1)
    nearest.file("a", "y", 2)
    assert "a" in nearest
    assert "b" not in nearest
    assert (nearest.count("a"), nearest.count("b")) == (2, 0)
    assert nearest.find("b", "x") is None


def test_folders_around() -> None:
    assert folders_above("a/b/c.py") == ["a/b/", "a/", ""]
    assert folders_above("c.py") == [""]
    assert list(upwards("a/b")) == ["a/b", "a", ""]
    assert list(upwards("")) == [""]


def test_of_very_many_folders_some_count() -> None:
    deep = "/".join(map(str, range(1_000)))
    assert folders_above(deep)[:2] == [f"{'/'.join(map(str, range(n)))}/" for n in (64, 63)]
    assert list(upwards(deep))[62:] == ["/".join(map(str, range(n))) for n in (938, 937)] + [""]


def test_folders_that_keep_what_lies_in_them_to_themselves() -> None:
    folders = {
        "a/Tests/x/": "a/Tests/",
        "tests/a/docs/b/": "tests/a/docs/",
        "tests/": "tests/",
        "a/tester/": "",
        "": "",
    }
    assert {folder: seen_from(folder) for folder in folders} == folders
