"""What of Python is doubted: what its grammar takes and CPython does not, and hardly anything else."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from codemill.core import lexing, python_doubts, trees
from codemill.core.languages import LanguageTable

PYTHON = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)["python"]

REJECTED = [
    "print 'a'\n",
    "if a: print b\n",
    "a = 1; print a, b\n",
    "exec code in names\n",
    "try:\n    a\nexcept B, c:\n    d\n",
    "raise A, 'b'\n",
    "a <> b\n",
    "a = `b`\n",
    "a = 0755\n",
    "a = 10L\n",
    "a = ur'b'\n",
    "return\n",
    "if a:\n    return b\n",
    "if a: return b\n",
    "class A:\n    return b\n",
    "def a():\n    class B:\n        return c\n",
    "break\n",
    "if a:\n    continue\n",
    "for a in b:\n    def c():\n        break\n",
    "try:\n    a\nb\n",
    "def a():\n    try:\n        b\n",
    "def a():\n    try:\n        b\nc\n",
    "try:\n    a",
    "def a(b=1, c): pass\n",
    "def a(b: int = 1, c: int): pass\n",
    "def a(b, (c, d)): pass\n",
    "a(b=1, c)\n",
    "a(b=1, c.d(e)[f])\n",
    "class A(metaclass=B, C): pass\n",
    "del a()\n",
    "del 'a'\n",
    "a := 1\n",
    "a = b: c\n",
    "import a  b\n",
    "a = b c\n",
    "a = f(b) c\n",
    "a = 1 b\n",
    "a = f(b) 'c'\n",
    "a = foo 'b'\n",
    "for a in b:\n     c[-1]:\n        d = 1\n",
    "if a:\nb = 1\n",
    "a = 1\n    b = 2\n",
    "def a():\n    b\n  c\n",
    "def a():\n\tb\n        c\n",
    "def a():",
    "def a():\n    # nothing\n",
    'a = "b\nc = "d\n',
]

ACCEPTED = [
    "",
    "# a",
    "print('a')\nprint\nexec('a')\nprint >>a, b\n",
    "a(b=1, *c, **d)\na(*b, c=1)\na(b == 1, c <= 2, d)\n",
    "def a(b=1, /, *, c): pass\ndef a(*b, c=1, d): pass\ndef a(b=1, *c, d): pass\n",
    "a(lambda b=1: b, c)\na = lambda b=1, c=2: b\n",
    "def a(b=(1, 2), c=(3, 4)): pass\n",
    "async def a():\n    async for b in c:\n        break\n    return await d\n",
    "for a in b:\n    if c:\n        continue\n    else:\n        break\nelse:\n    pass\n",
    "for a in b: break\nwhile a: continue\ndef a(): return 1\n",
    "try:\n    a\nexcept B:\n    c\nexcept (C, D) as e:\n    raise F(g, h) from e\nfinally:\n    i\n",
    "try: a\nexcept: b\n",
    "del a, b[c(d)]\ndel(a)\n",
    "if (a := 1) and b: c\nwhile a := b(): c\nprint(a := 1)\n",
    "a: int = 1\na = b[1:2] = {c: d}\n",
    "match a:\n    case 'b' | 'c':\n        d\n    case [e, *f] if g:\n        h\n",
    "match = case = type = 1\nmatch[1] = 2\n",
    "a = 'b' 'c' f'd' r'e'\na = ('b'\n     'c')\n",
    "a = 0o755 + 1e-07 + 0.07 + 1_000 + 0xFF + 00\n",
    "if a:\n\tb\nelse:\n        c\n",
    "a = [\n1,\n  2]\nb = 1 + \\\n        2\n",
    "class A(B, metaclass=C):\n    '''d'''\n\n    @e(f=1)\n    def g(self): ...\n",
    "a = not b is not None and c in d or e if f else g\n",
    "from . import a\nfrom .b import c as d, e\nimport f as g\n",
    "with a as b, c(d=1) as e:\n    yield_ = 1\n",
    "é = ü = 1\n",
    "if a:\n    '''\nb\n    '''\n    c\n",
    "a = 1 ;\nb = 2; c = 3\n",
    "a = 'b\\\nc'\n",
]


def is_doubtful(text: str) -> bool:
    source = trees.parse(text, "python").source
    return python_doubts.is_doubtful(source, lexing.survey(source, PYTHON).literals)


def is_accepted(text: str) -> bool:
    try:
        compile(text, "<text>", "exec")
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("text", REJECTED)
def test_what_python_rejects_is_doubted(text: str) -> None:
    assert not is_accepted(text)
    assert is_doubtful(text)


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_python_accepts_is_not(text: str) -> None:
    assert is_accepted(text)
    assert not is_doubtful(text)


def indented(block: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in block.split("\n")[:-1])


SIMPLE = ["a = 1\n", "b(c, d=2)\n", "del e\n", "import f\n", "# g\n\npass\n", "h = [\n1]\n", "(i)\n", "'j'\n"]
BLOCKS = st.recursive(
    st.lists(st.sampled_from(SIMPLE), min_size=1, max_size=3).map("".join),
    lambda blocks: st.one_of(
        st.builds(lambda a, b: f"if a:\n{indented(a)}else:\n{indented(b)}", blocks, blocks),
        st.builds(lambda a, b: f"for a in b:\n{indented(a)}    break\n{b}", blocks, blocks),
        st.builds(lambda a, b: f"try:\n{indented(a)}finally:\n{indented(b)}", blocks, blocks),
        st.builds(lambda a, b: f"{a}def a(b, c=1):\n{indented(b)}    return b\n", blocks, blocks),
    ),
    max_leaves=8,
)


@given(BLOCKS)
def test_whole_programs_are_not_doubted(text: str) -> None:
    assert is_accepted(text)
    assert not is_doubtful(text)


@given(BLOCKS, st.data())
def test_a_line_that_is_moved_or_lost_is_doubted_when_python_rejects_it(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")[:-1]
    row = data.draw(st.integers(0, len(lines) - 1))
    lines[row : row + 1] = data.draw(st.sampled_from([[], ["  " + lines[row]], [lines[row][1:]]]))
    broken = "\n".join(lines) + "\n"
    clean = not trees.parse(broken, "python").root.has_error
    assert is_accepted(broken) or is_doubtful(broken) or not clean


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert is_doubtful(text) in (True, False)


def test_deep_nesting_is_left_to_python() -> None:
    assert is_doubtful("(" * 201 + ")" * 201)
    assert is_doubtful(")\n")
    assert is_doubtful("".join(" " * depth + "if a:\n" for depth in range(150)) + " " * 150 + "b\n")
    assert not is_doubtful("(" * 200 + "a" + ")" * 200)
