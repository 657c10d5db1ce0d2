"""A small language that picks particles: `type 1 2`, `mol 3 to 10 and not id 1 to 5`.

Grammar: `KEY VALUE…` with values and ranges `A to B`, joined by `and`, `or`, `not` and parentheses;
`not` binds closest, then `and`, then `or`; `all` picks everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from zoo.errors import ConfigError, did_you_mean

_WORDS = ("and", "or", "not", "to", "(", ")")
#: Parentheses and `not` may be nested so deep.
_DEPTH = 50


def select(expression: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the indices of the particles that an expression picks, ascending.

    Args:
        expression: as in the module's text.
        columns: key to `[particles]`, whole numbers or names.

    Raises:
        ConfigError: the expression cannot be read, or picks nothing.
    """
    picked = _Parser(expression, columns).parse()
    if not picked.any():
        raise ConfigError(f"select={expression!r} picks no particle")
    return np.flatnonzero(picked)


class _Parser:
    def __init__(self, expression: str, columns: Mapping[str, np.ndarray]) -> None:
        self.expression, self.columns = expression, columns
        self.tokens = re.findall(r"[()]|[^\s()]+", expression)
        self.at = self.depth = 0
        self.particles = len(next(iter(columns.values())))

    def parse(self) -> np.ndarray:
        mask = self._or()
        if self.at < len(self.tokens):
            raise self._wrong(f"{self.tokens[self.at]!r} is not expected there")
        return mask

    def _or(self) -> np.ndarray:
        mask = self._and()
        while self._take("or"):
            mask = mask | self._and()
        return mask

    def _and(self) -> np.ndarray:
        mask = self._not()
        while self._take("and"):
            mask = mask & self._not()
        return mask

    def _not(self) -> np.ndarray:
        self.depth += 1
        if self.depth > _DEPTH:
            raise self._wrong("it is nested too deep")
        mask = ~self._not() if self._take("not") else self._term()
        self.depth -= 1
        return mask

    def _term(self) -> np.ndarray:
        if self._take("("):
            mask = self._or()
            if not self._take(")"):
                raise self._wrong("a parenthesis is not closed")
            return mask
        if self._take("all"):
            return np.ones(self.particles, bool)
        key = self._next()
        if key not in self.columns:
            raise self._wrong(f"there is no key {key!r}.{did_you_mean(key, self.columns)}")
        column = self.columns[key]
        mask, values = np.zeros(self.particles, bool), 0
        while self.at < len(self.tokens) and self.tokens[self.at] not in _WORDS:
            value = self._value(column)
            mask |= (
                (column >= value) & (column <= self._value(column)) if self._take("to") else column == value
            )
            values += 1
        if not values:
            raise self._wrong(f"{key!r} takes a value")
        return mask

    def _value(self, column: np.ndarray) -> int | str:
        word = self._next()
        if column.dtype.kind == "U":
            return word
        try:
            return int(word)
        except ValueError as error:
            raise self._wrong(f"{word!r} is no whole number") from error

    def _next(self) -> str:
        if self.at == len(self.tokens):
            raise self._wrong("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == word:
            self.at += 1
            return True
        return False

    def _wrong(self, what: str) -> ConfigError:
        return ConfigError(
            f"cannot read select={self.expression!r}: {what} (such as `type 1 2 and not mol 3 to 10`)"
        )
