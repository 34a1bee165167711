"""Decides from its text whose rows a statement touches: those of one user, of no user, or of several users.

The text is parsed by PostgreSQL's own parser (``pglast``). A statement is a *router* when the key of every table of
users in it, in subqueries and common table expressions too, equals one and the same parameter: whatever other users
have, such a statement neither sees nor changes it, and where tables are distributed by user it goes to one shard.

An equality counts where it holds for every row: in a WHERE, in the ON of an inner join, in that of an outer join for
the side that may be missing, and between a row and what IN finds. A list of parameters is not one user.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from typing import Any

import pglast
from pglast import ast as nodes
from pglast.enums import A_Expr_Kind, BoolExprType, JoinType, SubLinkType
from pglast.visitors import Visitor

ast: Any = nodes
"""Every part of a node may be None, as its types say; which are there follows from the grammar."""


class Class(StrEnum):
    """The class of a statement, by the users whose rows it touches."""

    ROUTER = "router"
    REFERENCE = "reference"
    ACROSS_USERS = "across users"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A statement's class; ``loose`` are the tables whose key is no single user's, or not the one of all the others."""

    kind: Class
    loose: frozenset[str] = frozenset()


def classify(sql: str, keys: Mapping[str, str | None]) -> Verdict:
    """The class of a statement. ``keys`` has the key of users of each table, by schema and name; None: nobody's."""
    [raw] = pglast.parse_sql(sql)
    reading = _Reading(keys)
    reading.query(raw.stmt, None)
    users = [(table, reading.users(term, scope)) for table, term, scope in reading.touched]
    if not users:
        return Verdict(Class.REFERENCE)
    common = frozenset.intersection(*(of for _, of in users))
    if common:
        return Verdict(Class.ROUTER)
    loose = {table for table, of in users if not of} or {table for table, _ in users}
    return Verdict(Class.ACROSS_USERS, frozenset(loose))


def tables_in(sql: str) -> frozenset[str]:
    """Returns the tables that a statement names, with their schema; those of the server itself are left out."""
    named = _Names()
    named(pglast.parse_sql(sql))
    return frozenset(named.tables)


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.tables: set[str] = set()

    def visit_RangeVar(self, _: Any, node: Any) -> None:
        if node.schemaname not in (None, "pg_catalog"):
            self.tables.add(f"{node.schemaname}.{node.relname}")


def is_read(sql: str) -> bool:
    """Returns whether a statement only reads."""
    [raw] = pglast.parse_sql(sql)
    statement: Any = raw.stmt
    ctes = statement.withClause.ctes if statement.withClause else ()
    parts = [statement, *(cte.ctequery for cte in ctes)]
    return all(isinstance(part, ast.SelectStmt) for part in parts)


Term = tuple[str, int, str]
"""A column of a source, or a parameter (``("$", number, "")``)."""


@dataclass(slots=True)
class _Edge:
    """Two terms that are equal; ``sides`` are the sources whose rows there are only if they are, None: all."""

    one: Term
    other: Term
    sides: frozenset[int] | None


@dataclass(slots=True)
class _Derived:
    """The result of a subquery: the columns of each of its arms, each a term of that arm's scope or None."""

    names: list[str]
    arms: "list[tuple[_Scope, list[Term | None]]]"


@dataclass(slots=True, eq=False)
class _Scope:
    """One level of a query: its sources by alias, and what is equal in it."""

    parent: "_Scope | None"
    sources: dict[str, int] = field(default_factory=dict)
    edges: list[_Edge] = field(default_factory=list)
    expressions: "dict[str, _Derived]" = field(default_factory=dict)


class _Reading:
    def __init__(self, keys: Mapping[str, str | None]) -> None:
        self._keys = keys
        self._derived: dict[int, _Derived] = {}
        self._scopes: dict[int, _Scope] = {}
        self._columns: dict[int, list[str]] = {}
        self.touched: list[tuple[str, Term, _Scope]] = []

    # The users of a row

    def users(self, term: Term, scope: _Scope, seen: frozenset[Term] = frozenset()) -> frozenset[Term]:
        """The parameters that a term equals, as far as one can see."""
        found: set[Term] = set()
        reached, ahead = {term} | seen, [term]
        while ahead:
            at = ahead.pop()
            if at[0] == "$":
                found.add(at)
                continue
            found |= self._inside(at, frozenset(reached))
            level: _Scope | None = scope
            while level is not None:
                for edge in level.edges:
                    for one, other in ((edge.one, edge.other), (edge.other, edge.one)):
                        if one == at and other not in reached and (edge.sides is None or at[1] in edge.sides):
                            reached.add(other)
                            ahead.append(other)
                level = level.parent
        return frozenset(found)

    def _inside(self, term: Term, seen: frozenset[Term]) -> frozenset[Term]:
        """Returns the terms that equal a column of a subquery, for each of the subquery's arms."""
        derived = self._derived.get(term[1])
        if derived is None or term[2] not in derived.names:
            return frozenset()
        place = derived.names.index(term[2])
        arms = []
        for scope, columns in derived.arms:
            inner = columns[place] if place < len(columns) else None
            if inner is None:
                return frozenset()
            if inner not in seen:  # a recursive arm gives what the others give
                arms.append(self.users(inner, scope, seen))
        return frozenset.intersection(*arms) if arms else frozenset()

    # Reading a query

    def query(self, node: Any, parent: _Scope | None) -> _Derived:
        """Reads a query of any kind; what it gives."""
        outer = _Scope(parent)
        with_clause = getattr(node, "withClause", None)
        for cte in with_clause.ctes if with_clause else ():
            # Named before it is read, as a recursive one names itself.
            derived = _Derived([], [])
            outer.expressions[cte.ctename] = derived
            read = self.query(cte.ctequery, outer)
            derived.names[:] = [name.sval for name in cte.aliascolnames or ()] or read.names
            derived.arms[:] = read.arms
        if isinstance(node, ast.SelectStmt):
            return self._select(node, outer)
        if isinstance(node, ast.InsertStmt):
            return self._insert(node, outer)
        if isinstance(node, ast.UpdateStmt | ast.DeleteStmt):
            return self._change(node, outer)
        raise NotImplementedError(type(node).__name__)

    def _select(self, node: Any, outer: _Scope) -> _Derived:
        if node.larg is not None:
            left, right = self.query(node.larg, outer), self.query(node.rarg, outer)
            return _Derived(left.names, left.arms + right.arms)
        scope = _Scope(outer)
        if node.valuesLists:
            rows = [[self._term(value, scope) for value in row] for row in node.valuesLists]
            return _Derived([f"column{n + 1}" for n in range(len(rows[0]))], [(scope, row) for row in rows])
        for source in node.fromClause or ():
            self._from(source, scope)
        self._where(node.whereClause, scope, None)
        for part in (node.targetList, node.groupClause, node.havingClause, node.sortClause, node.distinctClause):
            self._subqueries(part, scope)
        self._subqueries((node.limitCount, node.limitOffset, node.windowClause), scope)
        return self._given(node.targetList, scope)

    def _insert(self, node: Any, outer: _Scope) -> _Derived:
        scope = _Scope(outer)
        target = self._table(node.relation, scope)
        names = [column.name for column in node.cols or ()]
        if node.selectStmt is not None:
            given = self.query(node.selectStmt, outer)
            source = self._new(given, scope)
            # By place: what a select calls its columns does not matter.
            given.names[:] = [str(n) for n in range(max(len(given.names), len(names)))]
            for number, name in enumerate(names):
                scope.edges.append(_Edge(("c", target, name), ("c", source, str(number)), None))
        if node.onConflictClause:
            conflict = node.onConflictClause
            for part in conflict.targetList or ():
                self._subqueries(part.val, scope)
            self._subqueries(conflict.whereClause, scope)
        return self._given(node.returningClause.exprs if node.returningClause else (), scope)

    def _change(self, node: Any, outer: _Scope) -> _Derived:
        scope = _Scope(outer)
        self._table(node.relation, scope)
        for source in (node.fromClause if isinstance(node, ast.UpdateStmt) else node.usingClause) or ():
            self._from(source, scope)
        self._where(node.whereClause, scope, None)
        self._subqueries(getattr(node, "targetList", None), scope)
        return self._given(node.returningClause.exprs if node.returningClause else (), scope)

    def _given(self, targets: Iterable[Any] | None, scope: _Scope) -> _Derived:
        names: list[str] = []
        terms: list[Term | None] = []
        for target in targets or ():
            last = target.val.fields[-1] if isinstance(target.val, ast.ColumnRef) else None
            if isinstance(last, ast.A_Star):
                for number in scope.sources.values():
                    for name in self._derived[number].names if number in self._derived else ():
                        names.append(name)
                        terms.append(("c", number, name))
                continue
            names.append(target.name or (last.sval if last is not None else ""))
            terms.append(self._term(target.val, scope))
        return _Derived(names, [(scope, terms)])

    # Sources

    def _new(self, derived: _Derived | None, scope: _Scope, alias: str | None = None) -> int:
        number = len(self._scopes) + 1
        self._scopes[number] = scope
        if derived is not None:
            self._derived[number] = derived
        scope.sources[alias or f"<{number}>"] = number
        return number

    def _table(self, node: Any, scope: _Scope) -> int:
        alias = node.alias.aliasname if node.alias else node.relname
        if node.schemaname is None:
            level: _Scope | None = scope
            while level is not None:
                if node.relname in level.expressions:
                    return self._new(level.expressions[node.relname], scope, alias)
                level = level.parent
            raise LookupError(f"no table or expression is called {node.relname}")
        name = f"{node.schemaname}.{node.relname}"
        number = self._new(None, scope, alias)
        key = None if node.schemaname == "pg_catalog" else self._keys[name]
        if key is not None:
            self.touched.append((name, ("c", number, key), scope))
        return number

    def _from(self, node: Any, scope: _Scope, optional: bool = False) -> frozenset[int]:
        """Takes a source in, ``optional`` if its rows may be missing; the numbers of all that it consists of."""
        if isinstance(node, ast.RangeVar):
            return frozenset({self._table(node, scope)})
        if isinstance(node, ast.RangeSubselect):
            derived = self.query(node.subquery, scope)
            if node.alias.colnames:
                derived = _Derived([name.sval for name in node.alias.colnames], derived.arms)
            return frozenset({self._new(derived, scope, node.alias.aliasname)})
        if isinstance(node, ast.RangeFunction):
            self._subqueries(node.functions, scope)
            return frozenset({self._new(None, scope, node.alias.aliasname if node.alias else None)})
        if isinstance(node, ast.JoinExpr):
            kind = node.jointype
            left = self._from(node.larg, scope, optional or kind in (JoinType.JOIN_RIGHT, JoinType.JOIN_FULL))
            right = self._from(node.rarg, scope, optional or kind in (JoinType.JOIN_LEFT, JoinType.JOIN_FULL))
            holds = {
                JoinType.JOIN_INNER: left | right if optional else None,
                JoinType.JOIN_LEFT: right,
                JoinType.JOIN_RIGHT: left,
                JoinType.JOIN_FULL: frozenset[int](),
            }
            self._where(node.quals, scope, holds[kind])
            return left | right
        raise NotImplementedError(type(node).__name__)

    # Conditions

    def _where(self, node: Any, scope: _Scope, sides: frozenset[int] | None) -> None:
        for condition in _conjuncts(node):
            if isinstance(condition, ast.A_Expr) and condition.kind == A_Expr_Kind.AEXPR_OP and _is_equal(condition):
                for one, other in zip_longest(_row(condition.lexpr), _row(condition.rexpr)):
                    self._equal(self._term(one, scope), self._term(other, scope), scope, sides)
                self._subqueries(condition, scope)
            elif _is_in(condition):
                derived = self.query(condition.subselect, scope)
                number = self._new(_Derived([str(n) for n in range(len(derived.names))], derived.arms), scope)
                for place, one in enumerate(_row(condition.testexpr)):
                    self._equal(self._term(one, scope), ("c", number, str(place)), scope, sides)
            else:
                self._subqueries(condition, scope)

    def _equal(self, one: Term | None, other: Term | None, scope: _Scope, sides: frozenset[int] | None) -> None:
        if one is not None and other is not None:
            scope.edges.append(_Edge(one, other, sides))

    def _term(self, node: Any, scope: _Scope) -> Term | None:
        if isinstance(node, ast.ResTarget):
            return self._term(node.val, scope)
        if isinstance(node, ast.TypeCast):
            return self._term(node.arg, scope)
        if isinstance(node, ast.ParamRef):
            return ("$", node.number, "")
        if not isinstance(node, ast.ColumnRef) or isinstance(node.fields[-1], ast.A_Star):
            return None
        *of, name = [part.sval for part in node.fields]
        level: _Scope | None = scope
        while level is not None:
            if of and of[-1] in level.sources:
                return ("c", level.sources[of[-1]], name)
            if not of:
                named = [number for number in level.sources.values() if self._has(number, name)]
                # A table's column without the table's name: where there is one table, it is that one's.
                named = named or [number for number in level.sources.values() if number not in self._derived]
                if len(named) == 1:
                    return ("c", named[0], name)
            level = level.parent
        return None

    def _has(self, number: int, column: str) -> bool:
        return number in self._derived and column in self._derived[number].names

    def _subqueries(self, node: Any, scope: _Scope) -> None:
        """Reads the subqueries in an expression, whatever they are for: what holds in them holds there alone."""
        if isinstance(node, ast.SubLink):
            self._subqueries(node.testexpr, scope)
            self.query(node.subselect, scope)
        elif isinstance(node, list | tuple):
            for part in node:
                self._subqueries(part, scope)
        elif isinstance(node, ast.Node):
            for name in node:
                self._subqueries(getattr(node, name), scope)


def _conjuncts(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.BoolExpr) and node.boolop == BoolExprType.AND_EXPR:
        for part in node.args:
            yield from _conjuncts(part)
    elif node is not None:
        yield node


def _is_equal(node: Any) -> bool:
    return [part.sval for part in node.name] == ["="]


def _is_in(node: Any) -> bool:
    """Returns whether it is IN a subquery or, equivalently, = ANY of it."""
    if not isinstance(node, ast.SubLink) or node.subLinkType != SubLinkType.ANY_SUBLINK:
        return False
    return node.operName is None or [part.sval for part in node.operName] == ["="]


def _row(node: Any) -> list[Any]:
    return list(node.args) if isinstance(node, ast.RowExpr) else [node]
