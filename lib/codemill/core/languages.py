"""The language table: which language a path is in, and what is known of that language.

`conf/languages.yaml` holds one row per language; `LanguageTable.from_mapping` validates it. A row is data for other
modules: which grammar parses the language, what its comments look like, how many syntax errors its grammar is worth.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple, TypeVar, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError
from tree_sitter_language_pack import SupportedLanguage

from codemill.core.ambiguity import Ambiguity, pattern_fault

Kind = Literal["programming", "markup", "data", "prose"]

_GRAMMARS = frozenset(get_args(SupportedLanguage))
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SHORT_WORD = re.compile(r"[A-Za-z]{1,8}")
_NODE_TYPE = re.compile(r"\w+")
_TEST_FOLDERS = ("test", "tests", "Tests", "spec", "specs", "__tests__", "unittests", "testsuite", "selftests", "e2e")
_FIXTURE_FOLDERS = ("fixture", "fixtures", "__fixtures__", "testdata", "test_data", "test-data", "__snapshots__")
_WILDCARDS = {"*": "[^/]*", "?": "[^/]", "[A-Z]": "[A-Z]", "[a-z]": "[a-z]"}
_WILDCARD = re.compile(f"({'|'.join(map(re.escape, _WILDCARDS))})")
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Forbidden:
    """What a language forbids although its grammar takes it, everywhere or outside some constructs."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    fault: str
    """A word for it, snake_case."""
    nodes: tuple[str, ...]
    """Query entries (see `trees.query`)."""
    outside: tuple[str, ...] = ()
    """Node types within which it is allowed; none when it is forbidden everywhere."""
    at_top: bool = False
    """Whether it is forbidden at the top level of a file alone; `nodes` are then node types. Costs next to nothing."""
    boundary: tuple[str, ...] = ()
    """Node types beyond which nothing is within: a loop around a function is none around the function's statements."""


@dataclass(frozen=True)
class Hidden:
    """What hides words from sight: a comment, a string. All are regular expressions."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    opens: str
    """It may hold one group, for `closes` to refer to as \\1. A line break stands before the text, and all is fastest
    where every rule begins with a plain character."""
    closes: str = ""
    """Where it ends; nothing when `opens` matches the whole."""
    inside: str = ""
    """What does not end it although it looks so: escapes."""
    nests: str = ""
    """What within it must end in the same way first."""
    reads: str = ""
    """The character that all of it reads as; nothing for blanks that leave the line breaks."""
    unclosed: str = ""
    """A word for the fault of never ending, that is, with the text or with white space."""
    when: str = ""
    """Only in texts that hold this, if anything."""
    unless: str = ""
    """Not in texts that hold this."""


@dataclass(frozen=True)
class Block:
    """A block between words. A word may close one block and open the next, as `else` does."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    closes: str
    """A regular expression."""
    opens: str = ""
    """A regular expression without groups; nothing for a block that the text as a whole is."""
    closed: Literal["always", "sometimes", "all_or_none"] = "always"
    """Whether it must be closed; `all_or_none` when a text closes all of the kind or none."""


@dataclass(frozen=True)
class Words:
    """Words and brackets that balance in good code, and what stands nowhere in it (see `words`)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    blocks: tuple[Block, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    begins: str = r"\n"
    """The characters behind which a word may open or close a block, as within the brackets of a regular expression;
    the beginning of a text is one of a line."""
    before: str = ""
    """What else may stand between them and the word: a regular expression without groups."""
    brackets: str = ""
    """The brackets that balance."""
    in_brackets: bool = True
    """Whether words count within brackets."""
    directives: bool = False
    """Whether `#if` and the like choose between parts of the text."""
    ignore_case: bool = False
    """Whether upper case is read as lower case, in all but `hidden`."""
    never: tuple[tuple[str, str], ...] = ()
    """Pairs: a word for a fault, and a regular expression for what no good code has."""

    def faults(self) -> Iterator[tuple[object, str]]:
        """Yield what makes no sense, and what is allowed."""
        for pattern, groups in self._patterns():
            if (allowed := pattern_fault(pattern)) is not None:
                yield pattern, allowed
            elif re.compile(pattern).groups > groups:
                yield pattern, f"a regular expression with at most {groups} groups"
        for rule in self.hidden:
            if re.compile(rule.opens).match(""):
                yield rule.opens, "a regular expression of more than nothing"
            if len(rule.reads.encode()) > 1:
                yield rule.reads, "an ASCII character, or nothing"
        for word in (*(rule.unclosed for rule in self.hidden if rule.unclosed), *(word for word, _ in self.never)):
            if not _NAME.fullmatch(word):
                yield word, "a word in lower case"

    def _patterns(self) -> Iterator[tuple[str, int]]:
        """Yield all regular expressions, and how many groups each may have."""
        for rule in self.hidden:
            yield rule.opens, 1
            for pattern in (rule.closes.replace(r"\1", ""), rule.inside, rule.nests, rule.when, rule.unless):
                yield pattern, 0
        for block in self.blocks:
            yield from ((block.opens, 0), (block.closes, 0))
        yield from ((f"[{self.begins}]", 0), (self.before, 0))
        yield from ((pattern, 0) for _, pattern in self.never)


@dataclass(frozen=True)
class Language:
    """One row of the table. Plain values only: hashable, picklable, safe to send to a worker."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: str
    """Key of the row and value of the `language` column: lower case, digits and underscores."""
    kind: Kind = "programming"
    extensions: tuple[str, ...] = ()
    """Ends of file names, dot first. Matched as written (`.C` is not `.c`), then without regard to case."""
    filenames: tuple[str, ...] = ()
    """Whole file names (`Makefile`)."""
    interpreters: tuple[str, ...] = ()
    """Programs that a shebang line starts, in lower case, without the number of a version (`python`, not `python3`)."""
    modes: tuple[str, ...] = ()
    """What editors call the language in modelines, in lower case; its own name counts too."""
    test_files: tuple[str, ...] = ()
    """Names of test files: globs of text, `*`, `?`, `[A-Z]` and `[a-z]`."""
    test_folders: tuple[str, ...] = _TEST_FOLDERS
    """Names of folders, wherever they lie, whose files are tests: globs."""
    fixture_folders: tuple[str, ...] = _FIXTURE_FOLDERS
    """Names of folders whose files are what tests work on, never tests: globs."""
    grammar: str | None = None
    """Name of the bundled tree-sitter grammar; None when there is none, or none that is any good."""
    line_comments: tuple[str, ...] = ()
    block_comments: tuple[tuple[str, str], ...] = ()
    strings: tuple[str, ...] = ('"', "'")
    """Quotes of string literals, in which comment markers mean nothing."""
    doc_comments: tuple[str, ...] = ()
    """What a comment begins with when it is documentation or a directive, never switched-off code."""
    comment_nodes: tuple[str, ...] = ()
    """Node types of comments. Docstrings are strings to a parser, and not among them."""
    function_nodes: tuple[str, ...] = ()
    """Query entries (see `trees.query`) for functions and methods, each matched once per function."""
    function_words: tuple[str, ...] = ()
    """Words of up to eight ASCII letters of which each function has one, as a token right below its node."""
    statement_nodes: tuple[str, ...] = ()
    """Query entries for what prose never parses as. Without them no commented-out code is looked for."""
    wrappers: tuple[str, ...] = ()
    """Source around a fragment (`%s`) that cannot stand at the top of a file, such as members of a class."""
    forbidden: tuple[Forbidden, ...] = ()
    """What the grammar takes and the language forbids."""
    line_separated: tuple[str, ...] = ()
    """Query entries of nodes whose children, comments apart, have a line break or a `;` or `,` between them."""
    required: tuple[str, ...] = ()
    """Query entries of which every text must hold one."""
    brackets: bool = True
    """Whether the brackets of good code match, outside comments and strings."""
    one_line_strings: bool = False
    """Whether literals in quotes always end on the line that they begin on, characters in single quotes among them."""
    preprocessor: bool = False
    """Whether `#if` and the like choose between parts of the text."""
    parser: Literal["python", "json", "xml"] | None = None
    """A real parser of the language, which settles what is doubtful."""
    gaps: tuple[tuple[str, str], ...] = ()
    """Pairs: a regular expression for what the language allows and the grammar lacks, and what it may read instead."""
    words: Words | None = None
    """What is known of the language's words without its grammar."""
    max_error_share: float = 1.0
    """The share of a file's bytes that may be in error nodes before the file counts as broken."""
    max_errors: int | None = None
    """How many error and missing nodes a file may have before it counts as broken; None for any number."""

    def __post_init__(self) -> None:
        """Raise ValueError for the first field that makes no sense."""
        for field, wrong, allowed in self._faults():
            raise ValueError(f"languages: {self.name}.{field}: found {wrong!r}, allowed is {allowed}")

    def _faults(self) -> Iterator[tuple[str, object, str]]:
        if not _NAME.fullmatch(self.name):
            yield "name", self.name, "lower case letters, digits and underscores, a letter first"
        for extension in self.extensions:
            if not extension.startswith(".") or "/" in extension or len(extension) == 1:
                yield "extensions", extension, "a dot and what follows it"
        for filename in self.filenames:
            if not filename or "/" in filename:
                yield "filenames", filename, "a file name without a folder"
        for opening, closing in self.block_comments:
            if not (opening and closing):
                yield "block_comments", [opening, closing], "a pair of an opening and a closing marker"
        for quote in self.strings:
            if quote not in ('"', "'", "`"):
                yield "strings", quote, "one of the quotes \", ' and `"
        yield from self._word_faults()
        yield from self._test_faults()
        yield from self._grammar_faults()

    def _word_faults(self) -> Iterator[tuple[str, object, str]]:
        for field in ("interpreters", "modes"):
            for word in getattr(self, field):
                if not word or word != word.lower() or set("/ ").intersection(word):
                    yield field, word, "a word in lower case"

    def _test_faults(self) -> Iterator[tuple[str, object, str]]:
        for field in ("test_files", "test_folders", "fixture_folders"):
            for glob in getattr(self, field):
                if not glob or set("/[]").intersection(_WILDCARD.sub("", glob)):
                    yield field, glob, "a name without a slash; *, ?, [A-Z] and [a-z] are wildcards"

    def _grammar_faults(self) -> Iterator[tuple[str, object, str]]:
        if self.grammar is not None and self.grammar not in _GRAMMARS:
            yield "grammar", self.grammar, f"null or one of the {len(_GRAMMARS)} bundled with tree_sitter_language_pack"
        for field in ("comment_nodes", "function_nodes", "statement_nodes"):
            entries: tuple[str, ...] = getattr(self, field)
            if entries and self.grammar is None:
                yield field, list(entries), "nothing while grammar is null"
        for node in self.comment_nodes:
            if not _NODE_TYPE.fullmatch(node):
                yield "comment_nodes", node, "a node type"
        for word in self.function_words:
            if not _SHORT_WORD.fullmatch(word):
                yield "function_words", word, "a word of up to eight letters"
        for wrapper in self.wrappers:
            if wrapper.count("%s") != 1:
                yield "wrappers", wrapper, "source with one %s in it"
        yield from self._tolerance_faults()

    def _tolerance_faults(self) -> Iterator[tuple[str, object, str]]:
        for rule in self.forbidden:
            if not _NAME.fullmatch(rule.fault) or not rule.nodes:
                yield "forbidden", rule.fault, "a word in lower case, with the nodes that it is about"
            if rule.at_top and not all(map(_NODE_TYPE.fullmatch, rule.nodes)):
                yield "forbidden", list(rule.nodes), "node types, for what is forbidden at_top"
        for pattern, _ in self.gaps:
            if (allowed := pattern_fault(pattern)) is not None:
                yield "gaps", pattern, allowed
        for wrong, allowed in () if self.words is None else self.words.faults():
            yield "words", wrong, allowed
        if self.parser is not None and self.grammar is None:
            yield "parser", self.parser, "nothing while grammar is null"
        if not 0 <= self.max_error_share <= 1:
            yield "max_error_share", self.max_error_share, "a number from 0 to 1"
        if self.max_errors is not None and self.max_errors < 0:
            yield "max_errors", self.max_errors, "null or a number from 0 up"


_LANGUAGE: TypeAdapter[Language] = TypeAdapter(Language)
_AMBIGUITY: TypeAdapter[Ambiguity] = TypeAdapter(Ambiguity)


class KnownPath(NamedTuple):
    """What a path says of a file's language."""

    language: str | None
    """The language, or the owner of an ambiguous extension; None where the path says nothing."""
    by: Literal["name", "extension"] | None
    """None where the path says nothing."""
    ambiguity: Ambiguity | None
    """What decides with the help of the text; None where the path alone does."""


@dataclass(frozen=True)
class LanguageTable:
    """All languages, in the order of the table. Look one up by name, or by the path of a file."""

    languages: tuple[Language, ...]
    ambiguous: Mapping[str, Ambiguity] = dataclasses.field(default_factory=dict)
    """By extension; by "" for files whose names have no known one."""

    def __post_init__(self) -> None:
        """Raise ValueError when two languages claim one name, or when a rule names none."""
        for attribute in ("name", "filenames", "extensions", "interpreters", "modes"):
            _check_unique(attribute, self.languages)
        for extension, ambiguity in self.ambiguous.items():
            for wrong, allowed in _ambiguity_faults(extension, ambiguity, self._by_name):
                raise ValueError(f"languages: {_ambiguous_key(extension)}{wrong}, allowed is {allowed}")

    @classmethod
    def from_mapping(cls, data: Mapping[str, object]) -> "LanguageTable":
        """Read a mapping of language names to rows, as `conf/languages.yaml` holds it.

        The key `ambiguous` is no language: it maps extensions to rules. Raises ValueError with the key, what was found
        and what is allowed.
        """
        if not isinstance(data, Mapping) or not data:
            raise ValueError(f"languages: found {data!r}, allowed is a mapping of language names to rows")
        ambiguous = data.get("ambiguous", {})
        if not isinstance(ambiguous, Mapping):
            raise ValueError(f"languages: ambiguous: found {ambiguous!r}, allowed is a mapping of extensions to rules")  # noqa: TRY004
        return cls(
            tuple(_row(name, row) for name, row in data.items() if name != "ambiguous"),
            {key: _validated(_AMBIGUITY, _ambiguous_key(key), row) for key, row in ambiguous.items()},
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every language's name, in the order of the table."""
        return tuple(language.name for language in self.languages)

    def __getitem__(self, name: str) -> Language:
        """Return the language of that name. Raises KeyError."""
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        """Say whether the table has a language of that name."""
        return name in self._by_name

    def detect(self, path: str) -> str | None:
        """Return the language that a file of this path is in, by its path alone, or None.

        That is the owner of an ambiguous extension; see `detection.detect` for what looks at the text too.
        """
        return self.by_path(path).language

    def by_path(self, path: str) -> KnownPath:
        """Return what a path says: the whole file name first, then the longest known extension.

        Both count as written, then without regard to case. A leading dot begins no extension.
        """
        filename = re.split(r"[/\\]", path)[-1]
        found = self._lookup(filename, self._by_file) or self._lookup(filename.lower(), self._by_file_lower)
        return found or KnownPath(None, None, self.ambiguous.get(""))

    def by_interpreter(self, program: str) -> str | None:
        """Return the language that a program (lower case, no folder) runs, or None."""
        return self._by_interpreter.get(program)

    def by_mode(self, mode: str) -> str | None:
        """Return the language that an editor's mode (lower case) is for, or None."""
        return self._by_mode.get(mode)

    def is_test(self, path: str, language: str | None) -> bool:
        """Say whether the file at a path (posix, relative to the project) is a test, by its language's conventions.

        Only programs are: data, snapshots and fixtures in a folder of tests are not.
        """
        tests = None if language is None else self._tests.get(language)
        if tests is None:
            return False
        folder, _, filename = path.rpartition("/")
        found = tests.files.fullmatch(filename) or tests.folders.search(folder)
        return found is not None and tests.fixtures.search(folder) is None

    def _lookup(self, filename: str, owners: Mapping[str, KnownPath]) -> KnownPath | None:
        if filename in owners:
            return owners[filename]
        # No known extension has more dots: a name of a thousand dots is looked at as often as one of three.
        ends = filename[1:].rsplit(".", self._most_dots)[1:]
        for first in range(len(ends)):
            found = owners.get("*." + ".".join(ends[first:]))
            if found is not None:
                return found
        return None

    @cached_property
    def _tests(self) -> dict[str, "_TestPaths"]:
        return {language.name: _test_paths(language) for language in self.languages if language.kind == "programming"}

    @cached_property
    def _by_name(self) -> dict[str, Language]:
        return {language.name: language for language in self.languages}

    @cached_property
    def _by_interpreter(self) -> dict[str, str]:
        return {program: language.name for language in self.languages for program in language.interpreters}

    @cached_property
    def _by_mode(self) -> dict[str, str]:
        said = {mode: language.name for language in self.languages for mode in language.modes}
        return {language.name: language.name for language in self.languages} | said

    @cached_property
    def _by_file(self) -> dict[str, KnownPath]:
        # File names and extensions share one dictionary: "*" cannot begin a file name that anybody uses.
        shared = {f"*{end}": KnownPath(None, "extension", rules) for end, rules in self.ambiguous.items() if end}
        whole = {name: KnownPath(row.name, "name", None) for row in self.languages for name in row.filenames}
        ends = {
            f"*{end}": KnownPath(row.name, "extension", self.ambiguous.get(end))
            for row in self.languages
            for end in row.extensions
        }
        return shared | whole | ends

    @cached_property
    def _by_file_lower(self) -> dict[str, KnownPath]:
        exact = self._by_file
        # `.C` must not take `.c` away from C: what is lower case in the table already wins.
        return {key.lower(): known for key, known in exact.items()} | {k: v for k, v in exact.items() if k == k.lower()}

    @cached_property
    def _most_dots(self) -> int:
        return max((key.count(".") for key in self._by_file if key.startswith("*")), default=0)


class _TestPaths(NamedTuple):
    files: re.Pattern[str]
    folders: re.Pattern[str]
    fixtures: re.Pattern[str]


def _test_paths(language: Language) -> _TestPaths:
    return _TestPaths(
        re.compile(_any_of(language.test_files)),
        re.compile(rf"(?:^|/){_any_of(language.test_folders)}(?:/|\Z)"),
        re.compile(rf"(?:^|/){_any_of(language.fixture_folders)}(?:/|\Z)"),
    )


def _any_of(globs: Iterable[str]) -> str:
    """Return the regular expression of what one of the globs stands for, within one name of a path."""
    return f"(?:{'|'.join(map(_expression, globs)) or '(?!)'})"


def _expression(glob: str) -> str:
    return "".join(_WILDCARDS.get(part) or re.escape(part) for part in _WILDCARD.split(glob))


def _row(name: str, row: object) -> Language:
    return _validated(_LANGUAGE, name, {**row, "name": name} if isinstance(row, Mapping) else row)


def _validated(adapter: TypeAdapter[_Row], key: str, row: object) -> _Row:
    if not isinstance(row, Mapping):
        raise ValueError(f"languages: {key}: found {row!r}, allowed is a mapping of fields")  # noqa: TRY004 - one kind of error for a bad table
    try:
        return adapter.validate_python(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if not where:
            raise ValueError(str(first["ctx"]["error"])) from None
        raise ValueError(f"languages: {key}.{where}: found {first['input']!r}, allowed is: {first['msg']}") from None


def _ambiguous_key(extension: str) -> str:
    return f"ambiguous{extension}" if extension.startswith(".") else f'ambiguous."{extension}"'


def _ambiguity_faults(
    extension: str, ambiguity: Ambiguity, languages: Mapping[str, Language]
) -> Iterator[tuple[str, str]]:
    if extension and (not extension.startswith(".") or "/" in extension):
        yield f": found {extension!r}", 'a dot and what follows it, or ""'
    if ambiguity.comments is not None and ambiguity.comments not in languages:
        yield f".comments: found {ambiguity.comments!r}", "the name of a language"
    for number, rule in enumerate(ambiguity.rules):
        if rule.language is not None and rule.language not in languages:
            yield f".rules.{number}.language: found {rule.language!r}", "null or the name of a language"
        for attribute, wrong, allowed in rule.faults():
            yield f".rules.{number}.{attribute}: found {wrong!r}", allowed


def _check_unique(field: str, languages: Iterable[Language]) -> None:
    owner: dict[str, str] = {}
    for language in languages:
        value = getattr(language, field)
        for key in [value] if isinstance(value, str) else value:
            if key in owner:
                raise ValueError(
                    f"languages: {language.name}.{field}: found {key!r}, which {owner[key]} has; allowed is one owner"
                )
            owner[key] = language.name
