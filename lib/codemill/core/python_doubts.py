"""Doubts about Python: what its grammar takes, and what Python may refuse.

CPython's own parser settles them (`second_opinion`), but takes half as long again as the grammar. So it is asked only
about texts in which a loop over their bytes sees what may be wrong: a line indented as no block allows, two operands
side by side, what Python 2 wrote (`print x`, `except A, b`, `raise A, b`, `<>`, backticks, 0755 and 10L), a `return`
outside a function, a `break` out of no loop, a `try` without its `except`, an argument without a default behind one
that has one. A doubt may be wrong, at the price of a second parse; what is not doubted is never asked about.
"""

import keyword

import numpy as np
import numpy.typing as npt

from codemill.core.compiled import compiled
from codemill.core.lexing import letters

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

_DEEPEST = 100
"""Steps of indentation that CPython allows."""
_MOST_BRACKETS = 200
"""Brackets around one place that CPython allows."""

# A token is a sign's byte, the letters of a word of up to eight as one number, -1 less the column of what begins a
# logical line, or one of these. _ODD is doubtful by itself, _SIGN any sign that means nothing here.
_NAME, _NUMBER, _STRING, _ODD, _SIGN, _WALRUS = range(1, 7)
_END = 10
_LONGEST_WORD = 8
_LONGER_THAN_PREFIXES = 1 << 16  # of strings: two letters

_TAB, _LF, _FF, _CR, _BLANK, _HASH, _STAR, _COMMA, _DOT, _COLON, _SEMICOLON, _LESS, _EQUAL, _GREATER = (
    b"\t\n\f\r #*,.:;<=>"
)
_OPENING, _CLOSING, _CLOSING_SQUARE, _BACKSLASH, _UNDERSCORE, _BACKTICK = b"()]\\_`"
_OPERATORS = tuple(b"=!<>:+-*/%&|^@~")
_PLUS_MINUS, _EXPONENT, _STAR_SLASH = tuple(b"+-"), tuple(b"eE"), tuple(b"*/")

# What may be looked up for every argument of a call or a function.
_BEGUN, _DEFAULT, _DEFAULT_BEFORE, _STARRED, _FREE, _ROUND = range(6)


_ASYNC, _DEF, _CLASS, _LAMBDA, _DEL = map(letters, ("async", "def", "class", "lambda", "del"))
_MATCH, _CASE, _TYPE = map(letters, ("match", "case", "type"))
_FOR, _WHILE, _IF, _ELIF, _ELSE, _WITH = map(letters, ("for", "while", "if", "elif", "else", "with"))
_UR = letters("ur")
_TRY, _EXCEPT, _FINALLY, _RAISE = map(letters, ("try", "except", "finally", "raise"))
_RETURN, _YIELD, _NONLOCAL, _BREAK, _CONTINUE = map(letters, ("return", "yield", "nonlocal", "break", "continue"))

# Words that are no operands. Where each is among as many places as make no two meet is its remainder.
_WORDS = [letters(word) for word in keyword.kwlist if word not in ("None", "True", "False")]
_PLACES = next(size for size in range(len(_WORDS), 5000) if len({word % size for word in _WORDS}) == len(_WORDS))
_KEYWORDS = np.zeros(_PLACES, dtype=np.int64)
_KEYWORDS[[word % _PLACES for word in _WORDS]] = _WORDS


def is_doubtful(source: bytes, literals: Numbers) -> bool:
    """Say whether CPython should be asked about a UTF-8 source that its grammar takes. Time is linear in its length.

    `literals` are its comments and strings (`lexing.Survey`). Tabs go to columns that are multiples of eight; a mixture
    that tabs of another width would change is doubtful too.
    """
    return _is_doubtful(_tokens(np.frombuffer(source, dtype=np.uint8), literals))


@compiled
def _tokens(data: Bytes, literals: Numbers) -> Numbers:  # noqa: C901 - one state machine
    """Return the tokens of the code; beside one that begins a line, its column when every tab counts as one."""
    tokens = np.empty((2 * data.size + 2, 2), dtype=np.int64)
    count = here = nested = wide = narrow = literal = 0
    begins = True
    while here < data.size:
        byte = data[here]
        if begins:
            if byte in (_BLANK, _TAB, _FF):
                wide = 0 if byte == _FF else wide + 1 if byte == _BLANK else wide + 8 - wide % 8
                narrow = 0 if byte == _FF else narrow + 1
                here += 1
                continue
            if byte in (_LF, _CR):
                wide = narrow = 0
                here += 1
                continue
        if byte == _HASH:  # also where it touches a word
            while here < data.size and data[here] != _LF:
                here += 1
            continue
        if begins:
            tokens[count] = -1 - wide, narrow
            count += 1
            begins = False
        while literal < len(literals) and literals[literal, 0] < here:
            literal += 1
        start = here
        token = 0
        if literal < len(literals) and literals[literal, 0] == here:
            here = literals[literal, 1]
            token = _STRING if data[here - 1] == data[start] else _ODD
        elif _is_name(byte):
            while here < data.size and _is_name(data[here]):
                here += 1
            token = _word_token(data, start, here)
        elif byte == _LF:
            if nested == 0:
                token = _END
                begins = True
                wide = narrow = 0
            here += 1
        elif byte == _BACKSLASH and here + 1 < data.size and (data[here + 1] == _LF or data[here + 1] == _CR):
            here += 2 if data[here + 1] == _LF else 3
        else:
            if byte != _BLANK and byte != _TAB and byte != _FF and byte != _CR:
                token = _sign_token(data, here)
                nested += int(_is_opening(byte)) - int(_is_closing(byte))
            here += 1
        if token:
            tokens[count] = token, 0
            count += 1
    tokens[count] = _END if nested == 0 else _ODD, 0
    return tokens[: count + 1]


@compiled
def _word_token(data: Bytes, start: int, end: int) -> int:
    if 48 <= data[start] <= 57:
        is_fraction = start > 0 and data[start - 1] == _DOT
        is_exponent = start > 1 and data[start - 1] in _PLUS_MINUS and data[start - 2] in _EXPONENT
        return _ODD if not (is_fraction or is_exponent) and _is_old_number(data, start, end) else _NUMBER
    if end - start > _LONGEST_WORD:
        return _NAME
    token = 0
    for place in range(end - 1, start - 1, -1):
        if data[place] >= 128:
            return _NAME
        token = token << 8 | int(data[place])
    return token


@compiled
def _is_old_number(data: Bytes, start: int, end: int) -> bool:
    """Say whether only Python 2 knows a number: 0755, 10L."""
    digits, nonzero = True, False
    for place in range(start, end):
        digits &= data[place] <= 57 or data[place] == _UNDERSCORE
        nonzero |= 49 <= data[place] <= 57
    if digits and end < data.size and data[end] == _DOT:
        return False
    return (data[start] == 48 and digits and nonzero) or data[end - 1] == 76 or data[end - 1] == 108


@compiled
def _sign_token(data: Bytes, here: int) -> int:
    byte, following = int(data[here]), int(data[here + 1]) if here + 1 < data.size else 0
    if byte == _BACKTICK or (byte == _LESS and following == _GREATER):
        return _ODD
    if byte == _COLON and following == _EQUAL:
        return _WALRUS
    if byte == _EQUAL:  # but for that of a default or an assignment it is part of an operator
        before = int(data[here - 1]) if here > 0 else 0
        return _SIGN if following == _EQUAL or before in _OPERATORS else _EQUAL
    return byte


@compiled
def _is_doubtful(tokens: Numbers) -> bool:  # noqa: C901 - one state machine
    # Columns with tabs of eight, and with tabs of one: what is deeper in one must be deeper in the other.
    indents = np.zeros((_DEEPEST, 2), dtype=np.int64)
    # By steps of indentation: the first word of the line that opened the block, and of the last line in it.
    openers = np.zeros(_DEEPEST, dtype=np.int64)
    words = np.zeros(_DEEPEST, dtype=np.int64)
    arguments = np.zeros((_MOST_BRACKETS, 6), dtype=np.bool_)
    top = nested = 0
    first = second = last = 0  # the first word of this logical line, the token behind it, and the last token before
    is_operand = False  # the last token was one, or the end of one
    opened = False  # the logical line before ends with a colon
    begins = False  # a statement begins
    assigned = has_lambda = False  # what came before in this statement, outside brackets
    for place in range(len(tokens)):
        token = tokens[place, 0]
        if token == _ODD:
            return True
        if token < 0:
            wide, narrow = -1 - token, tokens[place, 1]
            deeper = wide > indents[top, 0]
            if deeper != (narrow > indents[top, 1]) or deeper != opened:
                return True
            if deeper:
                top += 1
                if top == _DEEPEST:
                    return True
                indents[top] = wide, narrow
                openers[top], words[top] = words[top - 1], 0
            while indents[top, 0] > wide:
                if words[top] == _TRY:
                    return True
                top -= 1
            if indents[top, 0] != wide or indents[top, 1] != narrow:
                return True
            begins, first = True, 0
            assigned = has_lambda = is_operand = False
            continue
        if is_operand and (_is_operand(token) or (token == _STRING and not _is_prefix(last))):
            return True
        # Some words are names but where they begin a statement.
        is_soft = begins and token in (_MATCH, _CASE, _TYPE)
        is_operand = not is_soft and (_is_operand(token) or _is_closing(token))
        if token == _END:
            if first == _DEL and second != _OPENING and last in (_CLOSING, _STRING, _NUMBER):
                return True
            if last == _COLON and not (_is_compound(first) or first in (_MATCH, _CASE)):
                return True
            opened = last == _COLON or (opened and last == _END)  # the source ends with one more
        elif begins:
            begins = token == _ASYNC
            # Beside a loop or a function on one line, what follows is in it.
            if first != _DEF and first != _FOR and first != _WHILE and _is_misplaced(token, openers, top):
                return True
            if first == 0 and not begins:
                if words[top] == _TRY and token != _EXCEPT and token != _FINALLY:
                    return True
                first = words[top] = token
                second = tokens[place + 1, 0]
        elif nested == 0:
            if token == _COMMA and first in (_RAISE, _EXCEPT):
                return True
            if token == _WALRUS and first != _IF and first != _ELIF and first != _WHILE:
                return True
            if token == _COLON and assigned and not has_lambda:
                return True
            has_lambda = token != _SEMICOLON and (has_lambda or token == _LAMBDA)
            assigned = token != _SEMICOLON and (assigned or token == _EQUAL)
            begins = token == _SEMICOLON or (token == _COLON and _is_compound(first))
        if nested > 0:
            if not arguments[nested - 1, _BEGUN] and first == _DEF and nested == 1 and token == _OPENING:
                return True
            if _is_late(arguments[nested - 1], token, nested == 1 and first == _DEF):
                return True
        if _is_opening(token):
            if nested == _MOST_BRACKETS:
                return True
            arguments[nested] = False
            arguments[nested, _ROUND] = token == _OPENING
            nested += 1
        elif _is_closing(token):
            if nested == 0:
                return True
            nested -= 1
        last = token
    for step in range(top + 1):
        if words[step] == _TRY:
            return True
    return opened


@compiled
def _is_late(argument: Truths, token: int, is_parameter: bool) -> bool:  # noqa: FBT001 - numba knows no keywords
    """Say whether a token ends an argument that must stand before those with a default; note what it tells of it."""
    if not argument[_ROUND]:
        return False
    if token in (_COMMA, _CLOSING):
        excused = argument[_DEFAULT] or argument[_STARRED] or argument[_FREE]
        is_late = argument[_BEGUN] and argument[_DEFAULT_BEFORE] and not excused
        argument[_DEFAULT_BEFORE] |= argument[_DEFAULT]
        argument[_BEGUN] = argument[_DEFAULT] = argument[_STARRED] = False
        return bool(is_late)
    if not argument[_BEGUN]:
        argument[_BEGUN] = True
        argument[_STARRED] = token in _STAR_SLASH
        argument[_FREE] |= token == _STAR and is_parameter  # what follows has names
    argument[_DEFAULT] |= token == _EQUAL
    argument[_FREE] |= token == _LAMBDA  # whose defaults are its own
    return False


@compiled
def _is_misplaced(token: int, openers: Numbers, top: int) -> bool:
    """Say whether a statement that needs a function or a loop around it has none."""
    is_jump = token in (_BREAK, _CONTINUE)
    if not is_jump and token != _RETURN and token != _YIELD and token != _NONLOCAL:
        return False
    for step in range(top, 0, -1):
        if openers[step] == _CLASS:
            return True
        if openers[step] == _DEF:
            return is_jump
        if is_jump and (openers[step] == _FOR or openers[step] == _WHILE):
            return False
    return True


@compiled
def _is_compound(word: int) -> bool:
    """Say whether a statement may follow on the line that the word begins, behind its colon."""
    is_branch = word in (_IF, _ELIF, _ELSE, _TRY, _EXCEPT, _FINALLY)
    return is_branch or word in (_FOR, _WHILE, _WITH, _DEF, _CLASS)


@compiled
def _is_operand(token: int) -> bool:
    """Say whether a token is a name or a number; strings may also be parts of others."""
    if token in (_NAME, _NUMBER):
        return True
    return (token >= 256 or (token >= 65 and _is_name(token))) and _KEYWORDS[token % _PLACES] != token


@compiled
def _is_prefix(token: int) -> bool:
    """Say whether a token before a string may be part of it, as a brace may where strings are within strings (3.12)."""
    return token < _LONGER_THAN_PREFIXES and token not in (_UR, _CLOSING, _CLOSING_SQUARE)


@compiled
def _is_name(byte: int) -> bool:
    return 97 <= byte <= 122 or byte >= 128 or 65 <= byte <= 90 or 48 <= byte <= 57 or byte == _UNDERSCORE


@compiled
def _is_opening(byte: int) -> bool:
    return byte == 40 or byte == 91 or byte == 123


@compiled
def _is_closing(byte: int) -> bool:
    return byte == 41 or byte == 93 or byte == 125
