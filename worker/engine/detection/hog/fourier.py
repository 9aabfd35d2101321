"""Fourier transforms of 32 numbers, as straight code; each number is a vector, so many are transformed at once.

Cooley and Tukey's, by halves: the transforms of the numbers at even and at odd places, the latter turned, are added
and subtracted. Of real numbers half the results are the others' conjugates and left out. Nothing is divided by the
number of results, in neither direction.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

# mypy: allow-untyped-calls
# numba has few types

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from llvmlite import ir
from numba.core import types

from worker.simd.lanes import Lanes, address, constant, fused, operation

SIDE = 32
KEPT = SIDE // 2 + 1  # results of real numbers

PLACES = {
    "real": [(k, 0) for k in range(SIDE)],
    "complex": [(k, part) for k in range(SIDE) for part in (0, 1)],
    "half": [(k, part) for k in range(KEPT) for part in (0, 1)],
}  # the numbers and parts of numbers that a transform takes or makes

Real: TypeAlias = Any
Complex: TypeAlias = tuple[Real, Real | None]
"""Vectors: the real part, and the imaginary part if it is not zero."""


class Arithmetic:
    """Sums and products of vectors of float32 in a function under construction."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.add, self.subtract, self.negative = builder.fadd, builder.fsub, builder.fneg
        self._builder = builder

    def times(self, factor: float, a: Real, plus: Real) -> Real:
        """Return factor * a + plus."""
        return fused(self._builder, constant(a.type.element, a.type.count, factor), a, plus)

    def scaled(self, factor: float, a: Real) -> Real:
        """Return factor * a."""
        return self._builder.fmul(constant(a.type.element, a.type.count, factor), a)

    def slanted(self, turn: complex, a: Real, b: Real) -> tuple[float, Real, Real]:
        """Return (a + bi) * turn as a factor and what is to be multiplied by it.

        Divided by its larger part, the turn has one part that is 1: two products are enough.
        """
        c, s = turn.real, turn.imag
        if abs(c) >= abs(s):
            return c, self.times(-s / c, b, a), self.times(s / c, a, b)
        return s, self.times(c / s, a, self.negative(b)), self.times(c / s, b, a)


def forward(do: Arithmetic, numbers: Sequence[tuple[Real, Real]]) -> list[tuple[Real, Real]]:
    """Transform complex numbers."""
    size = len(numbers)
    if size == 1:
        return list(numbers)
    even, odd = forward(do, numbers[::2]), forward(do, numbers[1::2])
    pairs = [_butterfly(do, *pair, k, size) for k, pair in enumerate(zip(even, odd, strict=True))]
    return [pair[0] for pair in pairs] + [pair[1] for pair in pairs]


def _butterfly(
    do: Arithmetic, one: tuple[Real, Real], other: tuple[Real, Real], k: int, size: int
) -> tuple[tuple[Real, Real], tuple[Real, Real]]:
    """Return one + other and one - other, with the other turned back by k of `size` parts of a circle."""
    (a, b), (c, d) = one, other
    if k == 0:
        return (do.add(a, c), do.add(b, d)), (do.subtract(a, c), do.subtract(b, d))
    if 4 * k == size:
        return (do.add(a, d), do.subtract(b, c)), (do.subtract(a, d), do.add(b, c))
    factor, x, y = do.slanted(cmath.exp(-2j * cmath.pi * k / size), c, d)
    return (
        (do.times(factor, x, a), do.times(factor, y, b)),
        (do.times(-factor, x, a), do.times(-factor, y, b)),
    )


def forward_real(do: Arithmetic, numbers: Sequence[Real]) -> list[Complex]:
    """Transform real numbers; of n results the first n / 2 + 1 are returned."""
    size = len(numbers)
    if size == 1:
        return [(numbers[0], None)]
    even, odd = forward_real(do, numbers[::2]), forward_real(do, numbers[1::2])
    results: list[Complex] = [(None, None)] * (size // 2 + 1)
    results[0], results[-1] = (
        (do.add(even[0][0], odd[0][0]), None),
        (do.subtract(even[0][0], odd[0][0]), None),
    )
    for k in range(1, (size + 3) // 4):
        first, second = _butterfly(do, even[k], odd[k], k, size)
        results[k], results[size // 2 - k] = first, (second[0], do.negative(second[1]))
    if size >= 4:
        results[size // 4] = even[-1][0], do.negative(odd[-1][0])
    return results


def backward_real(do: Arithmetic, results: Sequence[Complex]) -> list[Real]:
    """Return the real numbers, times their number, that `forward_real` makes these results of."""
    size = 2 * (len(results) - 1)
    first, last = results[0][0], results[-1][0]
    if size == 2:
        return [do.add(first, last), do.subtract(first, last)]
    even: list[Complex] = [(do.add(first, last), None)]
    odd: list[Complex] = [(do.subtract(first, last), None)]
    for k in range(1, size // 4):
        (a, b), (c, d) = results[k], results[size // 2 - k]
        even.append((do.add(a, c), do.subtract(b, d)))
        factor, x, y = do.slanted(cmath.exp(2j * cmath.pi * k / size), do.subtract(a, c), do.add(b, d))
        odd.append((do.scaled(factor, x), do.scaled(factor, y)))
    a, b = results[size // 4]
    even.append((do.add(a, a), None))
    odd.append((do.scaled(-2, b), None))
    numbers = [None] * size
    numbers[::2], numbers[1::2] = backward_real(do, even), backward_real(do, odd)
    return numbers


def _transform(
    name: str, transform: Callable[[Arithmetic, list[Real]], list[Real]], given: str, made: str
) -> Any:
    """Make a function for kernels that transforms SIDE numbers, real or complex, each of them `lanes` float32.

    Number k is read from at + k * step of an array, its imaginary part from there + part; the results are written
    likewise.
    """

    def typer(
        _typing: Any,
        source: Any,
        at: Any,
        step: Any,
        part: Any,
        out: Any,
        to: Any,
        out_step: Any,
        out_part: Any,
        lanes: Any,
    ) -> Any:
        kind = Lanes(types.float32, lanes.literal_value).ir_type

        def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
            def place(array: int, number: int, upper: int = 0) -> ir.Value:
                first, step, part = (
                    context.cast(builder, args[k], sig.args[k], types.intp)
                    for k in range(array + 1, array + 4)
                )
                index = builder.add(first, builder.mul(step, step.type(number)))
                index = builder.add(index, part) if upper else index
                pointer = address(context, builder, sig.args[array], args[array], index)
                return builder.bitcast(pointer, kind.as_pointer())

            numbers = [builder.load(place(0, *where), align=4) for where in PLACES[given]]
            results = transform(Arithmetic(builder), numbers)
            for where, value in zip(PLACES[made], results, strict=True):
                if value is not None:
                    builder.store(value, place(4, *where), align=4)
            return context.get_dummy_value()

        return types.void(source, at, step, part, out, to, out_step, out_part, lanes), codegen

    typer.__name__ = typer.__qualname__ = name
    return operation(typer)


def _flat(numbers: Sequence[Complex]) -> list[Real]:
    return [part for number in numbers for part in number]


def _coupled(parts: Sequence[Real]) -> list[tuple[Real, Real]]:
    return list(zip(parts[::2], parts[1::2], strict=True))


def _backward(do: Arithmetic, parts: list[Real]) -> list[Real]:
    """Transform backwards: that is forwards with both parts of each number exchanged."""
    made = forward(do, [(b, a) for a, b in _coupled(parts)])
    return _flat([(b, a) for a, b in made])


to_spectrum = _transform(
    "to_spectrum", lambda do, parts: _flat(forward_real(do, parts)), "real", "half"
)  # parts that are zero are not written
along = _transform("along", lambda do, parts: _flat(forward(do, _coupled(parts))), "complex", "complex")
back_along = _transform("back_along", _backward, "complex", "complex")
from_spectrum = _transform(
    "from_spectrum", lambda do, parts: backward_real(do, _coupled(parts)), "half", "real"
)
