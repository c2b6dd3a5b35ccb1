"""What a mutant may change: cosmic-ray's operators, and some of our own for what they leave out.

Our own ones follow the defects that a reader of the harness planted by hand: a call left out, a
returned value lost, an option not handed on, a condition of a query dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import parso
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

Span = tuple[tuple[int, int], tuple[int, int]]


class _Simple(Operator):
    """An operator that changes a node in `len(variants(node))` ways."""

    def variants(self, node: Any) -> list[str]:
        """The texts that may stand in the node's place, its leading white space not among them."""
        raise NotImplementedError

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """The node's own span, once a variant."""
        for _ in self.variants(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """The node that says something else."""
        return parso.parse(_prefix(node) + self.variants(node)[index])

    @classmethod
    def examples(cls) -> tuple[()]:
        """None: tests/mutate_harness/test_mutate_harness.py has them."""
        return ()


class DropStatement(_Simple):
    """A call, an assignment to a part, or a raise that stands alone is left out."""

    def variants(self, node: Any) -> list[str]:
        """`pass` for such a statement."""
        if node.parent is None or node.parent.type != "simple_stmt":
            return []
        alone = node.type == "raise_stmt" or (
            node.type in ("atom_expr", "power") and node.children[-1].type == "trailer"
        )
        assigned = node.type == "expr_stmt" and (
            _code(node.children[1]) in ("+=", "-=", "|=", "*=")
            or node.children[0].type in ("atom_expr", "power")
        )
        return ["pass"] if alone or assigned else []


class ReturnNothing(_Simple):
    """A returned value is lost."""

    def variants(self, node: Any) -> list[str]:
        """`return None`, and for a yielded list the same."""
        lost = node.type == "return_stmt" and _code(node.children[1]) != "None"
        return ["return None"] if lost else []


class DropKeyword(Operator):
    """A keyword argument of a call is left out."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """One span an argument."""
        for argument in self._arguments(node):
            yield argument.start_pos, argument.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """The call without it."""
        argument = self._arguments(node)[index]
        if node.type != "arglist":
            node.children.remove(argument)
            return node
        at = node.children.index(argument)
        # the comma goes with it: the one before, or for the first argument the one behind
        del node.children[max(at - 1, 0) : max(at + 1, 2)]
        node.get_first_leaf().prefix = ""
        return node

    @staticmethod
    def _arguments(node: Any) -> list[Any]:
        if node.type not in ("arglist", "trailer") or not hasattr(node, "children"):
            return []
        return [
            child
            for child in node.children
            if child.type == "argument"
            and _code(child.children[1]) == "="
            # a refusal's hint is read from the text: tests/harness/core/test_error_policy.py
            and _code(child.children[0]) != "hint"
        ]

    @classmethod
    def examples(cls) -> tuple[()]:
        """None: tests/mutate_harness/test_mutate_harness.py has them."""
        return ()


class InvertMembership(_Simple):
    """`in` is `not in`, and the other way round."""

    def variants(self, node: Any) -> list[str]:
        """The other operator, where a comparison has this one."""
        if node.parent is None or node.parent.type != "comparison":
            return []
        return {"in": ["not in"], "not in": ["in"]}.get(_code(node), [])


_QUERY: Final = re.compile(r"\b(select|insert|update|delete|lock|alter|drop|create)\b", re.I)
_DROPPED: Final = (
    (re.compile(r"\s+for (no key )?(update|share)\b", re.I), ""),
    (re.compile(r"\bnot\s+", re.I), ""),
    (re.compile(r"\band\b(?! \w+ following)", re.I), "or"),
    (re.compile(r"<>"), "="),
    (re.compile(r"(?<![<>!:])=(?!=)"), "<>"),
    (re.compile(r"\bdistinct\s+", re.I), ""),
)


class ChangeQuery(_Simple):
    """A condition, a row lock or a comparison of a query in a string is another one."""

    def variants(self, node: Any) -> list[str]:
        """One text a place where one of the patterns matches."""
        if node.type != "string" or not _QUERY.search(node.value) or _stands_alone(node):
            return []
        return [
            node.value[: found.start()] + instead + node.value[found.end() :]
            for pattern, instead in _DROPPED
            for found in pattern.finditer(node.value)
        ]


class NextNumber(_Simple):
    """A number is one more."""

    def variants(self, node: Any) -> list[str]:
        """One text for a whole or a decimal number."""
        if node.type != "number":
            return []
        try:
            return [str(int(node.value, 0) + 1)]
        except ValueError:
            return [str(float(node.value) + 1)]


def _stands_alone(node: Any) -> bool:
    """Whether a string is a statement, such as a docstring: nobody asks a database for it."""
    return node.parent is not None and node.parent.type == "simple_stmt"


def _code(node: Any) -> str:
    return str(node.get_code(include_prefix=False))


def _prefix(node: Any) -> str:
    leaf = node.get_first_leaf() if hasattr(node, "get_first_leaf") else node
    return str(leaf.prefix)


_TAKEN: Final = (
    *("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Is_IsNot", "IsNot_Is"),
)
_CORE: Final = (
    *(f"ReplaceComparisonOperator_{name}" for name in _TAKEN),
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceUnaryOperator_Delete_Not"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ExceptionReplacer"),
    "ZeroIterationForLoop",
    *("ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add"),
    *("ReplaceBinaryOperator_BitOr_BitAnd", "ReplaceBinaryOperator_Mul_Div"),
)
_OWN: Final = (NextNumber, DropStatement, ReturnNothing, DropKeyword, InvertMembership, ChangeQuery)


def operators() -> dict[str, Operator]:
    """Every operator by its name."""
    core = {name: get_operator(f"core/{name}")() for name in _CORE}
    return core | {kind.__name__: kind() for kind in _OWN}
