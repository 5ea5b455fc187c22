"""A small whole-number programme on HiGHS: named columns, rows "at most", fixing and forcing columns (pure).

HiGHS is loaded when the first programme is solved. It runs on one thread with a fixed seed and a limit on nodes, not on time, so the same
programme has the same answer on every machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Column = tuple[str, ...]
NODES = 20_000  # after so many nodes the best found is taken
REFINING_NODES = 200


@dataclass(frozen=True, slots=True)
class Solved:
    """A solution in whole numbers, its value, and whether it is proven that none is better."""

    values: Mapping[Column, int]
    value: int
    proven: bool


class Model:
    """Maximise Σ cost · column, subject to rows Σ factor · column ≤ bound."""

    def __init__(self) -> None:
        self._columns: dict[Column, int] = {}
        self._costs: list[int] = []
        self._upper: list[int] = []
        self._fixed: dict[int, tuple[int, int]] = {}
        self._rows: list[tuple[dict[int, int], int]] = []
        self._labels: dict[str, int] = {}
        self._highs: Any = None

    def integer(self, name: Column, upper: int, cost: int) -> None:
        """Add a column of 0 … upper."""
        self._columns[name] = len(self._costs)
        self._costs.append(cost)
        self._upper.append(upper)

    def binary(self, name: Column, cost: int) -> None:
        """Add a column of 0 or 1."""
        self.integer(name, 1, cost)

    def at_most(self, factors: Mapping[Column, int], bound: int, label: str = "") -> None:
        """Add a row; a labelled one can be left out of a question (`forced`)."""
        row = {self._columns[name]: factor for name, factor in factors.items() if factor}
        if row:
            if label:
                self._labels[label] = len(self._rows)
            self._rows.append((row, bound))

    def fix(self, name: Column, value: int) -> None:
        """Give a column one value."""
        self._bound(self._columns[name], value, value)

    def free(self, name: Column) -> None:
        """Let a column have all its values again."""
        index = self._columns[name]
        self._bound(index, 0, self._upper[index])

    def _bound(self, index: int, low: int, high: int) -> None:
        self._fixed[index] = (low, high)
        if self._highs is not None:
            self._highs.changeColBounds(index, float(low), float(high))

    def _build(self) -> Any:
        import highspy

        highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        highs.silent()
        for option, value in {
            "threads": 1,
            "random_seed": 0,
            "mip_rel_gap": 0.0,
            "mip_abs_gap": 0.5,  # values are whole: less than 1 apart is equal
            "mip_max_nodes": NODES,
        }.items():
            highs.setOptionValue(option, value)
        for index, (upper, cost) in enumerate(zip(self._upper, self._costs, strict=True)):
            low, high = self._fixed.get(index, (0, upper))
            highs.addCol(float(cost), float(low), float(high), 0, [], [])
            highs.changeColIntegrality(index, highspy.HighsVarType.kInteger)
        for row, bound in self._rows:
            highs.addRow(-highs.inf, float(bound), len(row), list(row), [float(f) for f in row.values()])
        highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        return highs

    def solve(self) -> Solved | None:
        """Return the best solution, None where there is none."""
        if not self._costs:
            return Solved({}, 0, True)
        if self._highs is None:
            self._highs = self._build()
        self._highs.clearSolver()  # no start from an earlier answer: the same question has the same answer
        return self._run(self._highs)

    def _run(self, highs: Any, without: int = -1) -> Solved | None:
        import highspy

        highs.run()
        status = highs.getModelStatus()
        solution = highs.getSolution()
        if status == highspy.HighsModelStatus.kInfeasible or not solution.value_valid:
            return None
        found = list(solution.col_value)
        values = {name: round(found[index]) for name, index in self._columns.items()}
        self._check(values, without)
        value = sum(cost * values[name] for name, cost in zip(self._columns, self._costs, strict=True))
        return Solved(values, value, status == highspy.HighsModelStatus.kOptimal)

    def _check(self, values: Mapping[Column, int], without: int) -> None:
        """The rounded answer keeps every row exactly; anything else is a fault of the solver and not passed on."""
        numbers = list(values.values())
        for number, (row, bound) in enumerate(self._rows):
            if number != without and sum(factor * numbers[index] for index, factor in row.items()) > bound:
                raise ArithmeticError("the solver's answer breaks a constraint")

    def forced(self, name: Column, without: str = "") -> Solved | None:
        """Return the best solution with a column at 1, None where there is none; without a labelled row, None where there is no such row.

        The model stays as it was.
        """
        if without and without not in self._labels:
            return None
        index, row = self._columns[name], self._labels.get(without, -1)
        before = self._fixed.get(index, (0, self._upper[index]))
        self._bound(index, 1, 1)
        if row >= 0:
            self._highs.changeRowBounds(row, -self._highs.inf, self._highs.inf)
        try:
            self._highs.clearSolver()
            return self._run(self._highs, row)
        finally:
            self._bound(index, *before)
            if row >= 0:
                self._highs.changeRowBounds(row, -self._highs.inf, float(self._rows[row][1]))

    def refine(self, best: Solved, cost: Mapping[Column, int]) -> Solved:
        """Return an equally good solution that uses fewer, or cheaper, of the columns in `cost`, as far as a short search finds one."""
        if len(cost) < 2:
            return best
        highs = self._build()
        highs.setOptionValue("mip_max_nodes", REFINING_NODES)
        row = {index: float(value) for index, value in enumerate(self._costs) if value}
        highs.addRow(float(best.value), highs.inf, len(row), list(row), list(row.values()))
        for index in range(len(self._costs)):
            highs.changeColCost(index, 0.0)
        start = [float(value) for value in best.values.values()]
        for count, (name, price) in enumerate(cost.items(), start=len(self._costs)):
            # A column of 0 or 1 that says whether this one is used.
            index = self._columns[name]
            highs.addCol(float(-price), 0.0, 1.0, 0, [], [])
            highs.changeColIntegrality(count, self._integer())
            highs.addRow(-highs.inf, 0.0, 2, [index, count], [1.0, float(-self._upper[index])])
            start.append(float(best.values[name] > 0))
        solution = highs.getSolution()
        solution.col_value = start
        highs.setSolution(solution)
        found = self._run(highs)
        if found is None or found.value < best.value or _price(found, cost) >= _price(best, cost):
            return best
        return Solved(found.values, best.value, best.proven)

    def _integer(self) -> Any:
        import highspy

        return highspy.HighsVarType.kInteger


def _price(solved: Solved, cost: Mapping[Column, int]) -> int:
    return sum(price for name, price in cost.items() if solved.values[name])
