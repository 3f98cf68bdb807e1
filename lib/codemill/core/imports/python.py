"""Imports of Python: modules, packages and stubs of one project.

Which folders count as roots for `import a.b` decides how sound the edges are. They are, in this order: the folder above
the outermost package that the user is in (for a script its own folder, as Python has it); what stands above that,
inwards out, each with its `src`, `lib` and the like; and a folder anywhere that has a `setup.py`, where no other such
folder has the name. Never a package, and never a folder elsewhere just because a file in it has the name: `import yaml`
does not find `tests/data/yaml.py`. The standard library's names resolve at the first of these alone, and only where it
is a root for certain.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from tree_sitter import Node

from codemill.core import trees
from codemill.core.imports.folders import join, parent, upwards
from codemill.core.imports.nodes import in_order, text_of
from codemill.core.imports.source import Outline, Source, pairs

LANGUAGES: tuple[str, ...] = ("python",)

_QUERY = trees.query(
    {
        "module": [
            "(import_statement name: (dotted_name) @node)",
            "(import_statement name: (aliased_import name: (dotted_name) @node))",
        ],
        "from": ["import_from_statement"],
    }
)
_NAME = re.compile(r"\.*[^\W\d]\w*(?:\.[^\W\d]\w*)*|\.+")
_MODULE_FILES = ("/__init__.py", ".py", "/__init__.pyi", ".pyi")
_SOURCE_FOLDERS = ("src", "lib", "python", "src/main/python")
_MAX_NAME = 1_000
# Of all versions, so that the answer does not depend on the one that runs. Left out are names that projects like for
# their own: `test`, `user`, `parser`.
_STANDARD_LIBRARY_NAMES = """
    BaseHTTPServer Bastion CGIHTTPServer ConfigParser Cookie DocXMLRPCServer HTMLParser MimeWriter Queue
    SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tkinter UserDict UserList UserString __future__
    __main__ _thread abc aifc annotationlib anydbm argparse array ast asynchat asyncio asyncore atexit audioop
    base64 bdb binascii binhex bisect builtins bz2 cPickle cProfile cStringIO calendar cgi cgitb chunk cmath cmd
    code codecs codeop collections colorsys compileall compiler concurrent configparser contextlib contextvars
    cookielib copy copy_reg copyreg crypt csv ctypes curses dataclasses datetime dbhash dbm decimal difflib dircache
    dis distutils doctest dumbdbm dummy_threading email encodings ensurepip enum errno faulthandler fcntl filecmp
    fileinput fnmatch fpformat fractions ftplib functools future_builtins gc gdbm genericpath getopt getpass gettext
    glob graphlib grp gzip hashlib heapq hmac hotshot html htmlentitydefs htmllib http httplib ihooks imaplib imghdr
    imp importlib imputil inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma macpath
    mailbox mailcap marshal math md5 mhlib mimetools mimetypes mimify mmap modulefinder msilib msvcrt multifile
    multiprocessing mutex netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev
    pathlib pdb pickle pickletools pipes pkgutil platform plistlib popen2 poplib posix posixfile posixpath pprint
    profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline repr reprlib
    resource rexec rfc822 rlcompleter robotparser runpy sched secrets select selectors sets sgmllib sha shelve shlex
    shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl
    stat statistics statvfs string stringold stringprep struct subprocess sunau sunaudio symtable sys sysconfig
    syslog tabnanny tarfile telnetlib tempfile termios textwrap thread threading time timeit tkMessageBox tkinter
    toaiff token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata
    unittest urllib urllib2 urlparse uu uuid venv warnings wave weakref webbrowser whichdb winreg winsound wsgiref
    xdrlib xml xmlrpc xmlrpclib zipapp zipfile zipimport zlib zoneinfo
"""
_STANDARD_LIBRARY = frozenset(_STANDARD_LIBRARY_NAMES.split())


def outline(tree: trees.Tree, language: str) -> Outline:
    """Return what a file imports: `a.b` for `import a.b`, `..a:b` for `from ..a import b`, `a:*` for all of `a`.

    Nothing is declared: a module's name is its path.
    """
    found = trees.captures(tree, _QUERY)
    return Outline((), tuple(dict.fromkeys(name for node, _ in in_order(found) for name in _imports(node))))


def _imports(node: Node) -> Iterator[str]:
    if node.type != "import_from_statement":
        yield from _names([node])
        return
    for module in _names(node.children_by_field_name("module_name")):
        names = [name.child_by_field_name("name") or name for name in node.children_by_field_name("name")]
        yield from (f"{module}:{name}" for name in _names(names))
        if not names:
            yield f"{module}:*"


def _names(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        text = "".join(text_of(node).split())
        if len(text) <= _MAX_NAME and _NAME.fullmatch(text) is not None:
            yield text


def edges(sources: Sequence[Source]) -> Iterator[tuple[int, int]]:
    """Yield (user, used), as indexes into the files of one project.

    `from a import b` uses the module `a.b` where there is one, else `a`; a package is used through its `__init__`.
    """
    project = _Project(sources)
    return pairs(sources, lambda user: (project.resolve(user.path, name) for name in user.outline.imports))


class _Project:
    """The modules of a project by their paths, and the folders in which imports look for them."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._modules = _modules(sources)
        self._packages = _packages(sources)
        self._above_packages = {"", *map(parent, self._packages)}
        self._names = {name for module in self._modules for name in module.split("/")}
        self._set_up = _set_up(sources, self._modules)
        self._roots_of: dict[str, list[str]] = {}

    def resolve(self, path: str, name: str) -> int | None:
        """Return the file that a user at a path means by an import; None for none of this project."""
        module, _, attribute = name.partition(":")
        first = module.partition(".")[0]
        if first:
            roots = self._roots(parent(path), first)
        else:
            dots = len(module) - len(module.lstrip("."))
            roots = _up(parent(path), dots - 1)
            module = module[dots:]
        found = (self._find(root, module, attribute) for root in roots)
        return next((index for index in found if index is not None), None)

    def _find(self, root: str, module: str, attribute: str) -> int | None:
        base = join(root, module.replace(".", "/"))
        found = self._modules.get(join(base, attribute)) if attribute else None
        return self._modules.get(base) if found is None else found

    def _roots(self, folder: str, name: str) -> Iterable[str]:
        if name not in self._names:
            return ()
        roots = self._roots_of.get(folder)
        if roots is None:
            roots = self._roots_of[folder] = self._find_roots(folder)
        if name in _STANDARD_LIBRARY:
            return roots[:1] if self._above_packages.issuperset(roots[:1]) else ()
        return chain(roots, self._set_up.get(name, ()))

    def _find_roots(self, folder: str) -> list[str]:
        """Return the folders that are a root for users in a folder, nearest first."""
        folders = [above for above in upwards(folder) if not above or above not in self._packages]
        return [join(above, name) for above in folders for name in ("", *_SOURCE_FOLDERS)]


def _modules(sources: Sequence[Source]) -> dict[str, int]:
    """Return modules by their paths without extension, packages by their folders.

    A package comes before a module of its name, as in Python, and a stub stands for what has no source.
    """
    modules: dict[str, tuple[int, int]] = {}
    for index, source in enumerate(sources):
        path = f"/{source.path}"
        rank = next((rank for rank, end in enumerate(_MODULE_FILES) if path.endswith(end)), None)
        if rank is not None:
            module = path.removesuffix(_MODULE_FILES[rank])[1:]
            modules[module] = min(modules.get(module, (rank, index)), (rank, index))
    return {module: index for module, (_, index) in modules.items()}


def _packages(sources: Sequence[Source]) -> set[str]:
    """Return the folders that are packages: those with an `__init__`, and those in which `from . import` is said."""
    packages = set()
    for source in sources:
        folder, _, name = source.path.rpartition("/")
        if name in ("__init__.py", "__init__.pyi"):
            packages.add(folder)
        dots = (len(name) - len(name.lstrip(".")) for name in source.outline.imports)
        for _, above in zip(range(max(dots, default=0)), upwards(folder), strict=False):
            packages.add(above)
    return packages


def _set_up(sources: Sequence[Source], modules: Iterable[str]) -> dict[str, list[str]]:
    """Return the folder in which a module stands that is set up, by name, where there is one only."""
    folders = {parent(source.path) for source in sources if source.path.rpartition("/")[2] == "setup.py"}
    roots = {join(folder, name) for folder in folders for name in ("", *_SOURCE_FOLDERS)}
    found: dict[str, list[str]] = {}
    for module in modules:
        root, _, name = module.rpartition("/")
        if root in roots:
            found.setdefault(name, []).append(root)
    return {name: roots for name, roots in found.items() if len(roots) == 1}


def _up(folder: str, steps: int) -> list[str]:
    """Return the folder so many steps up, if there is one."""
    parts = folder.split("/") if folder else []
    return ["/".join(parts[: len(parts) - steps])] if steps <= len(parts) else []
