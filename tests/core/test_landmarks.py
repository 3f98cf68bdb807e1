"""Comments and functions of a tree: by the lexer the same as by a query."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from codemill.core import landmarks, lexing, trees
from codemill.core.languages import Forbidden, LanguageTable

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)
WITH_WORDS = [language for language in TABLE.languages if language.function_words]

TEXT = """# one
import a  # two

@b  # three
async def c(d=lambda e: f"{e} # no", *, g='def'):
    # four
    # five
    def h(): return [lambda: i for i in g]
    return '''
    # no
    def
    '''


class J:
    def k(self):
        define = "lambda"
"""


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), "", "# é\ndef ü(): pass\n", TEXT[:-20]])
def test_the_lexer_finds_what_a_query_finds(text: str) -> None:
    python = TABLE["python"]
    tree = trees.parse(text, "python")
    survey = lexing.survey(tree.source, python)
    looked_up = landmarks.find(tree, survey, python)
    queried = landmarks.find(tree, survey, replace(python, function_words=()))
    assert [tree.source[start:end].rstrip() for start, end in looked_up.comments] == [
        tree.source[start:end].rstrip() for start, end in queried.comments
    ]
    assert [node.start_byte for node in looked_up.functions] == [node.start_byte for node in queried.functions]


def test_what_the_lexer_takes_for_a_comment_is_looked_up() -> None:
    text = "a = 1  # b\n'''\n# c\n'''\n"
    tree = trees.parse(text, "python")
    found = [landmarks.is_comment(tree, text.index(mark), TABLE["python"]) for mark in ("# b", "b", "# c", "a")]
    assert found == [True, True, False, False]


def test_a_table_that_forbids_is_asked_by_query() -> None:
    language = replace(TABLE["python"], forbidden=(Forbidden("old", ("print_statement",)),))
    tree = trees.parse("print 'a'\n", "python")
    assert "forbidden.old" in landmarks.find(tree, lexing.survey(tree.source, language), language).nodes


def test_what_is_forbidden_at_the_top_is_allowed_below() -> None:
    language = replace(TABLE["python"], forbidden=(Forbidden("loose", ("if_statement",), at_top=True),))
    tree = trees.parse("if a:\n    b\ndef c():\n    if d:\n        e\n", "python")
    found = landmarks.find(tree, lexing.survey(tree.source, language), language).nodes["forbidden.loose"]
    assert [node.start_byte for node in found] == [0]


def test_functions_with_words_are_node_types() -> None:
    assert WITH_WORDS
    for language in WITH_WORDS:
        assert all(entry.isidentifier() for entry in language.function_nodes), language.name
