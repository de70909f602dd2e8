"""`-k`: the expressions of pytest, over whole ids."""

import pytest
from _pytest.mark.expression import Expression
from hypothesis import given
from hypothesis import strategies as st

from whotests.hosts.keyword import KeywordError, keyword_match

WORDS = st.sampled_from(["test_a", "case", "a.b", "x[1]", "Not", "orange", "andes", "b"])
EXPRESSIONS = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        inner.map("not {}".format),
        inner.map("({})".format),
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
    ),
    max_leaves=8,
)
IDS = st.lists(WORDS, min_size=1, max_size=4).map(".".join)


@given(EXPRESSIONS, IDS)
def test_expressions_mean_what_they_mean_to_pytest(expression: str, test_id: str) -> None:
    """and, or, not and brackets bind as in pytest, whose words are parts of names."""
    theirs = Expression.compile(expression).evaluate(
        lambda word, /, **_: word.lower() in test_id.lower()
    )
    assert keyword_match(expression)(test_id) == theirs


@given(st.text("ab()andort \t.[]", max_size=12))
def test_what_is_no_expression_to_pytest_is_none_to_us(text: str) -> None:
    """The same texts are refused."""
    try:
        Expression.compile(text)
    except Exception:
        with pytest.raises(KeywordError):
            keyword_match(text)
    else:
        keyword_match(text)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a and", "-k 'a and': expected a word, 'not' or '(' at column 6, got the end"),
        ("(a or b", "-k '(a or b': expected ')' at column 8, got the end"),
        ("a b", "-k 'a b': expected the end at column 3, got 'b'"),
        ("a = b", "-k 'a = b': unexpected '=' at column 3"),
    ],
)
def test_messages_say_where_and_what(expression: str, message: str) -> None:
    """What was expected, where, and what was there."""
    with pytest.raises(KeywordError) as caught:
        keyword_match(expression)
    assert str(caught.value) == message


def test_an_empty_expression_means_all() -> None:
    """No word excludes nothing."""
    assert keyword_match(" ")("anything")


@pytest.mark.parametrize("sign", ["or", "and"])
def test_an_expression_may_have_thousands_of_words(sign: str) -> None:
    """As one that a script has made: no word is nested in the others."""
    fits = keyword_match(f" {sign} ".join(f"x{number}" for number in range(5000)))
    assert fits("".join(f"x{number}" for number in range(5000)))
    assert fits("x4999") == (sign == "or")
