"""C, C++, Objective-C and CUDA: which files of a project include which.

A project's include paths stand in build files that nobody reads here, so they are guessed:

1. ``"a.h"`` is first looked for beside the file that includes it, as compilers do.
2. Else a file whose path ends in what is written may be meant, the nearest if there are several; files below a folder
   of tests, examples and the like are seen from below that folder only.
3. ``<a.h>``, and ``"a.h"`` where a system has a header of that name, must lie in a folder that is likely to be on the
   include path: one above the user, or one that is called ``include`` or ``src`` or the like. A longer path,
   ``<lib/a.h>``, may lie anywhere when it is the only one. What the standards of C and POSIX define is the system's.
4. ``<Module/A.h>`` of a framework names no folder: the only ``A.h`` is taken where the project has such a module.

A source file uses the header of the same name beside it, whether it includes it or not.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from codemill.core import trees
from codemill.core.imports.folders import MAX_FOLDERS, seen_from
from codemill.core.imports.nearest import Nearest
from codemill.core.imports.nodes import text_of
from codemill.core.imports.source import Outline, Source, pairs

LANGUAGES: tuple[str, ...] = ("c", "cpp", "objective_c", "cuda")

_INCLUDES = """
(preproc_include path: [(string_literal) (system_lib_string)] @include)
((preproc_call directive: (preproc_directive) @_directive argument: (preproc_arg) @include)
 (#eq? @_directive "#import"))
"""
_MODULES = """
(module_declaration) @module
(import_declaration) @import
"""
_INCLUDE = re.compile(r'\s{0,20}(?:"([^"\n]{1,1000})"|<([^>\n]{1,1000})>)')
_MODULE = re.compile(
    r"\s{0,20}(export\s{1,20})?(?:module|import)\s{1,20}([\w.]{0,200})\s{0,20}(:\s{0,20}[\w.]{1,200})?"
)

_ROOTS = frozenset(
    ("include", "includes", "inc", "src", "source", "sources", "lib", "libs", "header", "headers", "public", "api")
)
_SOURCES = frozenset((".c", ".cc", ".cpp", ".cxx", ".c++", ".cp", ".C", ".m", ".mm", ".cu"))
_HEADERS = (".h", ".hpp", ".hh", ".hxx", ".h++", ".H", ".cuh")

_STANDARD = """
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic stdbool
stdbit stdckdint stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
aio alloca byteswap cpio dirent dlfcn endian fcntl fmtmsg fnmatch ftw getopt glob grp iconv langinfo libgen malloc
memory monetary mqueue ndbm netdb nl_types poll pthread pwd regex sched search semaphore spawn strings stropts syslog
tar termios trace ulimit unistd utime utmpx values wordexp
arpa/inet net/if netinet/in netinet/tcp sys/cdefs sys/file sys/ioctl sys/ipc sys/mman sys/msg sys/param sys/resource
sys/select sys/sem sys/shm sys/socket sys/stat sys/statvfs sys/time sys/times sys/types sys/uio sys/un sys/utsname
sys/wait io windows winsock2
"""
# ISO C, POSIX.1-2017, and what Unix and Windows are never without.
_SYSTEM = frozenset(f"{name}.h" for name in _STANDARD.split())


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return what a text includes, as written with its quotes or angle brackets, and its C++ modules by name."""
    imports: dict[str, None] = {}
    for node in trees.captures(tree, _INCLUDES).get("include", []):
        if (found := _INCLUDE.match(text_of(node))) is not None:
            imports[found[0].lstrip()] = None
    declares = _modules(tree, imports) if language == "cpp" else ()
    return Outline(declares, tuple(imports))


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project."""
    files = _Files(sources)
    return pairs(sources, files.used)


class _Files:
    """The files of a project, found by what includes write."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._by_path = {source.path: i for i, source in enumerate(sources)}
        self._modules = Nearest()
        self._suffixes = Nearest()
        self._rooted = Nearest()
        # Folders and stems: what may be the name of a framework's module.
        self._names = {part for source in sources for part in posixpath.splitext(source.path)[0].split("/")}
        wanted = {name for source in sources for name in _wanted(source.outline.imports)}
        for i, source in enumerate(sources):
            for name in source.outline.declares:
                self._modules.file(name, source.path, i)
            for name in _suffixes(source.path):
                if name in wanted:
                    self._file(name, source.path, i)

    def used(self, user: Source) -> Iterator[int | None]:
        """Yield the files that a file uses: those that it includes, and the header of the same name beside it."""
        yield from self._included(user)
        header = self._header(user.path)
        if header is not None and self._by_path[user.path] not in self._included(self._sources[header]):
            yield header

    def _included(self, user: Source) -> Iterator[int | None]:
        return (self._meant(user, each) for each in user.outline.imports)

    def _meant(self, user: Source, written: str) -> int | None:
        """Return the file that an include or import means."""
        if written[0] not in '"<':
            return self._modules.find(written, user.path)
        if written[0] == '"' and (beside := self._by_path.get(_beside(user.path, written))) is not None:
            return beside
        name = _name(written)
        if not name:
            return None
        found = self._rooted.find(name, user.path)
        if found is not None and (written[0] == '"' or name not in _SYSTEM):
            return found
        if name in _SYSTEM or (written[0] == "<" and not ("/" in name and self._suffixes.count(name) == 1)):
            return self._in_framework(name) if written[0] == "<" else None
        return self._suffixes.find(name, user.path)

    def _header(self, path: str) -> int | None:
        """Return the header of the same name beside a source file."""
        stem, extension = posixpath.splitext(path)
        if extension not in _SOURCES:
            return None
        return next((self._by_path[stem + each] for each in _HEADERS if stem + each in self._by_path), None)

    def _file(self, name: str, path: str, i: int) -> None:
        root = path[: len(path) - len(name)]
        private = seen_from(root)
        self._suffixes.file(name, path, i, private)
        # What lies in no root is seen with the full name from below the folder that the name begins in.
        is_root = not root or root.rstrip("/").rpartition("/")[2].lower() in _ROOTS
        self._rooted.file(name, path, i, private if is_root else root)

    def _in_framework(self, name: str) -> int | None:
        module, _, rest = name.partition("/")
        if not rest or name in _SYSTEM or module not in self._names or self._suffixes.count(rest) != 1:
            return None
        return self._suffixes.find(rest, "") if "/" not in rest else None


def _wanted(imports: Iterable[str]) -> Iterator[str]:
    for written in imports:
        if written[0] in '"<':
            name = _name(written)
            yield name
            if written[0] == "<":
                yield name.partition("/")[2]


def _suffixes(path: str) -> Iterator[str]:
    yield path
    starts = [i + 1 for i, char in enumerate(path) if char == "/"]
    yield from (path[start:] for start in starts[-MAX_FOLDERS:])


def _beside(path: str, written: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), written[1:-1].replace("\\", "/")))


def _name(written: str) -> str:
    """Return the path that is written without what leads to its root: ``../a/b.h`` is ``a/b.h``."""
    name = posixpath.normpath(written[1:-1].replace("\\", "/")).lstrip("/")
    while name.startswith("../"):
        name = name[3:]
    return "" if name in (".", "..") else name


def _modules(tree: trees.Tree, imports: dict[str, None]) -> tuple[str, ...]:
    """Add imports of C++ modules; return the modules and partitions whose interface the text is."""
    found = trees.captures(tree, _MODULES)
    declares: dict[str, None] = {}
    own = ""
    for node in found.get("module", []):
        match = _MODULE.match(text_of(node))
        if match is not None and match[2]:
            own = match[2]
            name = own + _partition(match[3])
            (declares if match[1] or match[3] else imports)[name] = None
    for node in found.get("import", []):
        written = text_of(node)
        match = _MODULE.match(written)
        if match is None:
            continue
        if header := _INCLUDE.match(written, match.end()):
            imports[header[0].lstrip()] = None
        elif name := (match[2] or (own if match[3] else "")) + _partition(match[3]):
            imports[name] = None
    return tuple(declares)


def _partition(written: str | None) -> str:
    return ":" + written[1:].strip() if written else ""
