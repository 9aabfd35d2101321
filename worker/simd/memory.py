"""Arrays in memory, for operations that read parts of them as other types than their own."""

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

from typing import Any

from llvmlite import ir
from numba.core import types

from worker.simd.lanes import address, call_llvm, operation

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
F32, F64 = ir.FloatType(), ir.DoubleType()

BYTES, SIGNED, SHORTS, INTS, FLOATS = (
    types.Array(kind, 1, "C") for kind in (types.uint8, types.int8, types.int16, types.int32, types.float32)
)


class ArrayArgument:
    """One array argument of a function under construction."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any, place: int) -> None:
        self._builder = builder
        self.start = context.make_array(signature.args[place])(context, builder, arguments[place]).data

    def point(self, kind: Any, offset: int, start: Any = None, unit: Any = None) -> Any:
        """Element `offset` of a kind, from element `start` of a unit on, which is the kind unless it is given."""
        pointer = self._builder.bitcast(self.start, (unit or kind).as_pointer())
        pointer = self._builder.gep(pointer, [start]) if start is not None else pointer
        return self._builder.gep(self._builder.bitcast(pointer, kind.as_pointer()), [I32(offset)])

    def load(self, kind: Any, count: int, offset: int, start: Any = None, unit: Any = None) -> Any:
        """Read a vector of `count` of a kind; see `point`."""
        vector = ir.VectorType(kind, count).as_pointer()
        point = self.point(kind, offset, start, unit)
        return self._builder.load(self._builder.bitcast(point, vector), align=1)

    def store(self, value: Any, offset: int, start: Any = None) -> None:
        """Write a vector; see `point`."""
        place = self.point(value.type.element, offset, start)
        self._builder.store(value, self._builder.bitcast(place, value.type.as_pointer()), align=1)


@operation
def pointer(_typing: Any, _address: Any) -> Any:
    """An address as Numba's `carray` takes it."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], I8.as_pointer())

    return types.voidptr(types.int64), generate


def prefetching(array: Any, lines: int) -> Any:
    """Signature and code of an operation that asks for 64-byte lines of an array that are read soon."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = ArrayArgument(context, builder, signature, arguments, 0)
        first = builder.gep(source.start, [arguments[1]])
        for line in range(lines):
            place = builder.gep(builder.bitcast(first, I8.as_pointer()), [I32(64 * line)])
            call_llvm(builder, "llvm.prefetch.p0", ir.VoidType(), place, I32(0), I32(2), I32(1))
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@operation
def prefetch(_typing: Any, array: Any, at: Any) -> Any:
    """Have the processor fetch the line of memory with element `at` of an array, which need not lie within it."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at64 = context.cast(builder, args[1], sig.args[1], types.intp)
        pointer = builder.bitcast(address(context, builder, sig.args[0], args[0], at64), I8.as_pointer())
        call_llvm(builder, "llvm.prefetch.p0i8", ir.VoidType(), pointer, I32(0), I32(3), I32(1))
        return context.get_dummy_value()

    return types.void(array, at), codegen
