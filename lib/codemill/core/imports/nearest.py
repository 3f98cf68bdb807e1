"""Of several files that have what a user asks for, the nearest to the user is meant."""

from codemill.core.imports.folders import folders_above

_Entry = tuple[tuple[int, int, str], int]


class Nearest:
    """Things filed under names and found by who looks: the nearest to a path of those that it may see.

    The nearest has the most leading folders in common with the path; of several, the one below the fewest folders
    stands first, then the shortest, then the first in the order of paths. Filing and finding take time in the depth
    of a path, however many things have the same name.
    """

    def __init__(self) -> None:
        self._filed: dict[str, list[tuple[str, str, int]]] = {}
        self._by_folder: dict[str, dict[str, _Entry]] = {}

    def __contains__(self, name: str) -> bool:
        """Say whether anything has the name."""
        return name in self._filed

    def file(self, name: str, path: str, thing: int, seen_from: str = "") -> None:
        """File a thing that lies at a path, and is seen from paths that begin with one of its folders, ``seen_from``.

        All is filed before anything is looked for.
        """
        self._filed.setdefault(name, []).append((path, seen_from, thing))

    def count(self, name: str) -> int:
        """Return how many things have the name."""
        return len(self._filed.get(name, ()))

    def find(self, name: str, path: str) -> int | None:
        """Return the nearest thing of that name to a path, None where it sees none."""
        filed = self._filed.get(name)
        if filed is None:
            return None
        if len(filed) == 1 and not filed[0][1]:
            return filed[0][2]  # Most names are of this kind: no folders are needed where there is no choice.
        by_folder = self._by_folder.get(name)
        if by_folder is None:
            by_folder = self._by_folder[name] = self._index(name)
        found = next((by_folder[folder] for folder in folders_above(path) if folder in by_folder), None)
        return None if found is None else found[1]

    def _index(self, name: str) -> dict[str, _Entry]:
        best: dict[str, _Entry] = {}
        for path, seen_from, thing in self._filed[name]:
            entry = (path.count("/"), len(path), path), thing
            for folder in folders_above(path):
                if folder.startswith(seen_from) and (folder not in best or entry < best[folder]):
                    best[folder] = entry
        return best
