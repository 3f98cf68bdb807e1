"""In which order the files of a project stand, and which of them are shown before a file as its context.

What others do, and what of it is here:

- DeepSeek-Coder (2401.14196) puts what is used before its user, in each connected part of a project. It takes the file
  with the fewest unread dependencies again and again, which copes with cycles but jumps about between branches. Here
  cycles are found first (Tarjan, "Depth-first search and linear graph algorithms", 1972) and kept together, and the
  order is depth first, so that a file follows what it uses as closely as may be.
- Granite Code (2407.13739) orders by imports as well, and has documentation and build files first. So has this.
- aiXcoder-7B (2410.13187) orders by call graph, by K-means over TF-IDF and by similarity of paths, with randomness.
  Files without imports stand by folder here, in chains of likeness (`similarity`); some files leave their place.
- StarCoder2 (2402.19173) shuffles: that is a random share of 1.
- "On pretraining for project-level code completion" (2510.13697) builds the context of one file, the most relevant
  nearest to it; `contexts` does that.

All work is linear in files and edges, but for sorting them.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codemill.core import choice, similarity
from codemill.core.compiled import compiled

_LEAVES = "file leaves its place in the project"
_PLACE = "place in the project"

_ENDS = r"\.(?:adoc|asciidoc|markdown|md|mdx|org|pod|rdoc|rst|textile)"
_OPENED_FIRST = (
    re.compile(rf"readme(?:.{{0,255}}{_ENDS}|\.txt)?"),
    re.compile(
        rf".{{0,255}}{_ENDS}|(?:authors|change(?:s|log)|contribut(?:ing|ors)|copying|copyright|history|install|licen[cs]e"
        r"|maintainers|news|notice|releases|roadmap|security|todo|upgrading)(?:\.txt)?"
    ),
    re.compile(
        r"build\.(?:xml|zig)|cargo\.toml|cmakelists\.txt|composer\.json|configure\.ac|dockerfile|dune-project|gemfile"
        r"|go\.mod|(?:gnu)?makefile(?:\.am)?|jenkinsfile|justfile|manifest\.in|meson\.build|meson_options\.txt|mix\.exs"
        r"|package\.(?:json|swift|yaml)|pom\.xml|project\.clj|pyproject\.toml|rakefile|rebar\.config|requirements\.txt"
        r"|setup\.(?:cfg|py)|stack\.yaml|tox\.ini|tsconfig\.json|vagrantfile"
        r"|.{0,255}\.(?:bazel|cabal|cmake|csproj|fsproj|gemspec|gradle|mk|podspec|props|sln|targets|vbproj)"
    ),
)
"""What a reader of a project opens first, by names in lower case: introductions, documentation, build files."""
_OTHER = len(_OPENED_FIRST)

_LAST_NAME = chr(0x10FFFF)
_LOOKS = 4
"""Files that are looked at, of those that a file uses, of what those use and of those before it, for each one shown."""

_Ints = npt.NDArray[np.int64]


class File(NamedTuple):
    """One file of a project."""

    path: str
    """Posix, relative to the project; no two files have the same."""
    size: int
    """Bytes."""
    terms: Mapping[str, int]
    """As `similarity.terms` gives them."""


class _Graph(NamedTuple):
    """Which file uses which: file i uses those from ``starts[i]`` to ``starts[i + 1]``."""

    starts: _Ints
    used: _Ints


def order(
    files: Sequence[File], edges: Iterable[tuple[int, int]], *, seed: int, project_id: str, random_share: float
) -> list[int]:
    """Return the indexes of a project's files in the order in which they should be read.

    Edges are (user, used). Documentation and build files that use nothing and that nothing uses come first, README
    before all, then the rest by folder. Files joined by edges stand together, behind what else is in and below the
    folder of most of them: what is used before its user, depth first from those that nobody uses. A cycle stands
    together too, broken at the edges by which the search comes back to where it is. The other files of a folder are a
    chain of likeness. Paths sort so that a folder's files precede its folders.

    A share of the files, between 0 and 1, chosen by seed, project and path, leaves its place for a random one. The
    result depends on paths, terms and edges, not on the order in which they are given. Raises ValueError for an edge
    to a file that is not there, and for a share that is none.
    """
    if not 0 <= random_share <= 1:
        raise ValueError(f"random_share: found {random_share}, allowed is 0 to 1")
    pairs = _pairs(edges, len(files))
    folders, last_inside = _folders([file.path for file in files])
    by_path = sorted(range(len(files)), key=lambda i: (folders[i], files[i].path, files[i].size))
    rank = np.empty(len(files), dtype=np.int64)
    rank[by_path] = np.arange(len(files))
    in_order = _put_in_order([files[i] for i in by_path], folders[by_path], last_inside, rank[pairs])
    moved = _moved([files[by_path[i]].path for i in in_order], seed, project_id, random_share)
    return [by_path[in_order[i]] for i in moved]


def contexts(
    order: Sequence[int], files: Sequence[File], edges: Iterable[tuple[int, int]], *, budget: int, most: int
) -> list[list[int]]:
    """Return for each file, by index, the files to show before it, in the order in which they should stand.

    Chosen are, of the files before it in the order: what it uses, then what that uses, then what stands closest; first
    what fewest others use, since that tells most. A file that does not fit into what is left of the budget (bytes) is
    passed over, and so are empty ones; none is cut. The last is the most relevant, but that what is used stands before
    its user, where it does so in the order. The order has all files, each once, as ``order`` gives them.
    """
    places = np.empty(len(files), dtype=np.int64)
    places[np.asarray(order, dtype=np.int64)] = np.arange(len(files))
    used = _used_before(_pairs(edges, len(files)), places)
    uses = [frozenset(each) for each in used]
    at = places.tolist()
    shown = []
    for index in range(len(files)):
        chosen = _chosen(_candidates(index, order, at[index], used, _LOOKS * most), files, budget, most)
        shown.append(_arranged(chosen, uses, at))
    return shown


def _pairs(edges: Iterable[tuple[int, int]], files: int) -> _Ints:
    """Return the edges as rows of user and used, each once, without those from a file to itself."""
    pairs = np.fromiter(chain.from_iterable(edges), dtype=np.int64).reshape(-1, 2)
    wrong = pairs[(pairs < 0) | (pairs >= files)]
    if wrong.size:
        raise ValueError(f"edges: found the file {wrong[0]}, allowed is 0 to {files - 1}")
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.stack(np.divmod(np.unique(pairs[:, 0] * files + pairs[:, 1]), max(files, 1)), axis=1)


def _folders(paths: Sequence[str]) -> tuple[_Ints, _Ints]:
    """Return the number of each file's folder, numbered in the order of paths, and that of the last inside of each."""
    names = [path.rpartition("/")[0] for path in paths]
    parts = sorted(name.split("/") if name else [] for name in set(names))
    numbers = {"/".join(each): number for number, each in enumerate(parts)}
    last_inside = [bisect_right(parts, [*each, _LAST_NAME]) - 1 for each in parts]
    return np.array([numbers[name] for name in names], dtype=np.int64), np.array(last_inside, dtype=np.int64)


def _put_in_order(files: Sequence[File], folders: _Ints, last_inside: _Ints, pairs: _Ints) -> list[int]:
    """Return the order of files that are sorted by path; see `_folders`."""
    is_joined = np.zeros(len(files), dtype=np.bool_)
    is_joined[pairs] = True
    kinds = np.array([_kind(file.path) for file in files], dtype=np.int64)
    later = (is_joined | (kinds == _OTHER)).astype(np.int64)
    homes, groups, sequence = folders.copy(), kinds, np.zeros(len(files), dtype=np.int64)
    alone = np.flatnonzero(~is_joined)
    sequence[alone] = _likeness(files, alone, folders, kinds)
    joined = np.flatnonzero(is_joined)
    parts = _components(*_graph(np.concatenate((pairs, pairs[:, ::-1])), folders), joined)[0][joined]
    homes[joined] = last_inside[_homes(parts, folders[joined])]
    groups[joined] = _OTHER + 1 + parts
    sequence[joined] = _depth_first(_graph(pairs, folders), pairs, joined)
    in_order: list[int] = np.lexsort((sequence, groups, homes, later)).tolist()
    return in_order


def _kind(path: str) -> int:
    """Say what a file that stands alone is to a reader."""
    name = path.rpartition("/")[2].lower()
    return next((kind for kind, names in enumerate(_OPENED_FIRST) if names.fullmatch(name)), _OTHER)


def _likeness(files: Sequence[File], alone: _Ints, folders: _Ints, kinds: _Ints) -> _Ints:
    """Return for each file that stands alone its place in the chain of those of its folder and kind."""
    sequence = np.zeros(len(files), dtype=np.int64)
    group = folders * (_OTHER + 1) + kinds
    members = alone[np.argsort(group[alone], kind="stable")]
    groups = np.split(members, np.flatnonzero(np.diff(group[members])) + 1)
    for each in similarity.chains(similarity.vectors([file.terms for file in files]), groups):
        sequence[each] = np.arange(len(each))
    return sequence[alone]


def _homes(parts: _Ints, folders: _Ints) -> _Ints:
    """Return for each file the folder in which most files of its part lie, of equals the first."""
    several = int(folders.max(initial=0)) + 1
    places, counts = np.unique(parts * several + folders, return_counts=True)
    homes = np.empty(int(parts.max(initial=-1)) + 1, dtype=np.int64)
    fewest_first = np.lexsort((-places, counts))
    homes[places[fewest_first] // several] = places[fewest_first] % several
    return homes[parts]


def _graph(pairs: _Ints, folders: _Ints) -> _Graph:
    """Return for each file what it uses: by path, but that of its own folder last, so that it stands close to it."""
    user, used = pairs[:, 0], pairs[:, 1]
    starts = np.zeros(folders.size + 1, dtype=np.int64)
    np.cumsum(np.bincount(user, minlength=folders.size), out=starts[1:])
    return _Graph(starts, used[np.lexsort((used, folders[user] == folders[used], user))])


def _depth_first(graph: _Graph, pairs: _Ints, joined: _Ints) -> _Ints:
    """Return for each joined file a number that is lower for what is used, but where an edge closes a cycle."""
    cycles = _components(*graph, joined)[0]
    user, used = cycles[pairs[:, 0]], cycles[pairs[:, 1]]
    is_first = np.ones(joined.size, dtype=np.bool_)
    is_first[used[user != used]] = False
    component, left = _components(*graph, joined[is_first[cycles[joined]]])
    return (component * left.size + left)[joined]


@compiled
def _components(starts: _Ints, used: _Ints, first: _Ints) -> tuple[_Ints, _Ints]:
    """Return for each file the number of its strongly connected component, and its own: in the order of leaving them.

    The search goes from the first files and along the edges in their order; what it does not reach has -1.
    """
    files = starts.size - 1
    component = np.full(files, -1, dtype=np.int64)
    entered = np.full(files, -1, dtype=np.int64)
    lowest = np.zeros(files, dtype=np.int64)
    edge = starts[:-1].copy()
    path = np.empty(files, dtype=np.int64)
    open_files = np.empty(files, dtype=np.int64)
    left = np.full(files, -1, dtype=np.int64)
    time = number = opened = done = 0
    for begin in first:
        path[0], depth = begin, int(entered[begin] < 0)
        while depth > 0:
            file = path[depth - 1]
            if entered[file] < 0:
                entered[file] = lowest[file] = time
                open_files[opened] = file
                time, opened = time + 1, opened + 1
            if edge[file] < starts[file + 1]:
                other = used[edge[file]]
                edge[file] += 1
                if entered[other] < 0:
                    path[depth] = other
                    depth += 1
                elif component[other] < 0:
                    lowest[file] = min(lowest[file], entered[other])
                continue
            depth -= 1
            left[file], done = done, done + 1
            if depth > 0:
                lowest[path[depth - 1]] = min(lowest[path[depth - 1]], lowest[file])
            if lowest[file] == entered[file]:
                while component[file] < 0:
                    opened -= 1
                    component[open_files[opened]] = number
                number += 1
    return component, left


def _moved(paths: Sequence[str], seed: int, project_id: str, share: float) -> list[int]:
    """Return an order in which a share of the files has moved to random places, the others being evenly spread."""
    if share == 0:
        return list(range(len(paths)))
    ids = [f"{project_id}/{path}" for path in paths]
    leaves = np.array([choice.unit(seed, id_, _LEAVES) < share for id_ in ids], dtype=np.bool_)
    places = np.empty(len(paths))
    places[leaves] = [choice.unit(seed, id_, _PLACE) for id_, is_leaving in zip(ids, leaves, strict=True) if is_leaving]
    staying = np.count_nonzero(~leaves)
    places[~leaves] = np.arange(1, staying + 1) / (staying + 1)
    moved: list[int] = np.argsort(places, kind="stable").tolist()
    return moved


def _used_before(pairs: _Ints, places: _Ints) -> list[list[int]]:
    """Return for each file what it uses that stands before it: first what fewest use, of equals the closest."""
    users = np.bincount(pairs[:, 1], minlength=places.size)
    user, used = pairs[places[pairs[:, 1]] < places[pairs[:, 0]]].T
    sorted_used = used[np.lexsort((-places[used], users[used], user))].tolist()
    ends = np.cumsum(np.bincount(user, minlength=places.size)).tolist()
    return [sorted_used[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _candidates(index: int, order: Sequence[int], place: int, used: list[list[int]], looks: int) -> Iterator[int]:
    """Yield the files that may be shown before a file, the most relevant first, some more than once."""
    direct = used[index][:looks]
    yield from direct
    yield from islice(chain.from_iterable(used[each] for each in direct), looks)
    yield from (order[before] for before in range(place - 1, max(place - 1 - looks, -1), -1))


def _chosen(candidates: Iterable[int], files: Sequence[File], budget: int, most: int) -> list[int]:
    """Return the candidates that fit, each once, the most relevant first."""
    chosen: dict[int, None] = {}
    for candidate in candidates:
        if len(chosen) >= most:
            break
        if candidate not in chosen and 0 < files[candidate].size <= budget:
            chosen[candidate] = None
            budget -= files[candidate].size
    return list(chosen)


def _arranged(chosen: list[int], uses: list[frozenset[int]], places: list[int]) -> list[int]:
    """Return files, given with the most relevant first, with the least relevant first and what is used before that."""
    turns = {file: turn for turn, file in enumerate(reversed(chosen))}
    shown = frozenset(chosen)
    for user in sorted(chosen, key=places.__getitem__, reverse=True):
        for used in uses[user] & shown:
            turns[used] = min(turns[used], turns[user])
    return sorted(chosen, key=lambda file: (turns[file], places[file]))
