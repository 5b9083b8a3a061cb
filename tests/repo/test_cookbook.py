"""The cookbook: every question has an answer, on both databases, in a mirror that has seen something."""

import re
from pathlib import Path

import pytest

from tests.support.account import query

TEXT = (Path(__file__).parents[2] / "docs" / "cookbook.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### (.+?)\n.*?```sql\n(.*?)```", TEXT, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("question", RECIPES)
def test_a_question_has_an_answer(question, lived_mirror, dialect):
    answer = query(lived_mirror[dialect], RECIPES[question].rstrip().rstrip(";"))
    assert answer
    assert any(value is not None for row in answer for value in row)


def test_there_are_many_questions_and_each_has_one_statement():
    assert len(RECIPES) == TEXT.count("\n### ") >= 25
    assert all(statement.count(";") == 1 for statement in RECIPES.values())


def test_the_books_balance(lived_mirror, dialect):
    ((first, *others),) = query(lived_mirror[dialect], RECIPES["Do the books balance?"].rstrip().rstrip(";"))
    assert first > 0
    assert others == [first] * 3


def test_both_databases_give_the_same_answers(lived_mirror):
    for question, statement in RECIPES.items():
        lite, server = (query(url, statement.rstrip().rstrip(";")) for url in lived_mirror.values())
        assert len(lite) == len(server), question
