"""Several numbers at once, for compiled loops: numba has no vectors of its own, and does not find them in our loops.

`Lanes` of 8 or 16 numbers, float32, int16 or int32, exist within compiled functions only, in the processor's registers.
On a processor with narrower registers the compiler makes several of one.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model
from platformdirs import user_cache_path

Function = TypeVar("Function", bound=Callable[..., Any])

NARROW, WIDE = 8, 16

LINE = 64  # bytes that memory gives at a time


def _caches() -> bool:
    """Say whether compiled functions can be kept on disk, and choose where, unless numba's own setting does.

    Each state of these files has a folder of its own: numba compiles anew when a function's own file has changed, not
    when one has that it calls functions of.
    """
    if not numba.config.CACHE_DIR:
        sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
        place = user_cache_path("dvsa") / "compiled" / hashlib.sha256(sources).hexdigest()[:16]
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        if not os.access(place, os.W_OK):
            return False
        numba.config.CACHE_DIR = str(place)
    return True


compiled: Callable[[Function], Function] = numba.njit(nogil=True, boundscheck=False, cache=_caches())
"""Compile a function when it is first called, once a machine; it runs outside of Python's lock and checks no bounds."""


class LanesType(types.Type):
    """Numbers in one register or several; whole ones of so many bits, or float32 where there are none."""

    def __init__(self, width: int, bits: int = 0) -> None:
        self.width, self.bits = width, bits
        super().__init__(name=f"Lanes{width}{f'int{bits}' if bits else 'float32'}")

    def vector(self) -> Any:
        """The type that the compiler knows."""
        return ir.VectorType(ir.IntType(self.bits) if self.bits else ir.FloatType(), self.width)


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: LanesType) -> None:
        super().__init__(manager, kind, kind.vector())


def _pointer(context: Any, builder: Any, array: Any, value: Any, place: Any, kind: Any) -> Any:
    data = context.make_array(array)(context, builder, value).data
    return builder.bitcast(builder.gep(data, [place]), kind.as_pointer())


def _pick(builder: Any, value: Any, lanes: list[int]) -> Any:
    chosen = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
    return builder.shuffle_vector(value, value, chosen)


def _larger(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)


@intrinsic(prefer_literal=True)
def zeros(_typing: Any, width: Any) -> Any:
    """Return that many zeros: NARROW or WIDE."""
    lanes = LanesType(width.literal_value)

    def generate(_context: Any, _builder: Any, _signature: Any, _values: Any) -> Any:
        return ir.Constant(ir.VectorType(ir.FloatType(), lanes.width), [0.0] * lanes.width)

    return lanes(width), generate


@intrinsic
def load(_typing: Any, like: Any, array: Any, place: Any) -> Any:
    """Read from a place of a one-dimensional array of their type as many numbers as `like` has."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[1], values[1], values[2], values[0].type)
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return like(like, array, types.uint64), generate


@intrinsic
def widen(_typing: Any, like: Any, array: Any, place: Any) -> Any:
    """Read likewise from half precision, which numba takes as uint16; `like` may be one float32."""
    count = like.width if isinstance(like, LanesType) else 1

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        half = ir.HalfType() if count == 1 else ir.VectorType(ir.HalfType(), count)
        pointer = _pointer(context, builder, signature.args[1], values[1], values[2], half)
        return builder.fpext(builder.load(pointer, align=2), values[0].type)

    return like(like, array, types.uint64), generate


@intrinsic
def store(_typing: Any, array: Any, place: Any, lanes: Any) -> Any:
    """Write the numbers to a place of a one-dimensional array of their type."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], values[0], values[1], values[2].type)
        builder.store(values[2], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(array, types.uint64, lanes), generate


@intrinsic
def add(_typing: Any, one: Any, other: Any) -> Any:
    """Add lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.add(*values) if one.bits else builder.fadd(*values)

    return one(one, other), generate


@intrinsic
def add_product(_typing: Any, total: Any, factor: Any, lanes: Any) -> Any:
    """Add the lanes times one number."""

    def generate(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
        width, vector = signature.return_type.width, values[0].type
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), values[1], ir.IntType(32)(0))
        name, kind = f"llvm.fmuladd.v{width}f32", ir.FunctionType(vector, [vector] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(function, [_pick(builder, first, [0] * width), values[2], values[0]])

    return total(total, types.float32, lanes), generate


@intrinsic
def whole_zeros(_typing: Any, like: Any) -> Any:
    """Return as many zeros as `like` has numbers, int32."""
    lanes = LanesType(like.width, 32)

    def generate(_context: Any, _builder: Any, _signature: Any, _values: Any) -> Any:
        return ir.Constant(lanes.vector(), [0] * lanes.width)

    return lanes(like), generate


@intrinsic
def add_products(_typing: Any, total: Any, pairs: Any, place: Any, factors: Any, other: Any) -> Any:
    """Add to int32 lanes the products of pairs, int16, that begin at a place, with the two factors, int16, at another.

    Lane l gets pairs[place + 2 l] * factors[other] + pairs[place + 2 l + 1] * factors[other + 1]. Written so that the
    compiler finds the processor's instruction for it.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        width, number = signature.return_type.width, ir.IntType(32)
        narrow, wide = ir.VectorType(ir.IntType(16), 2 * width), ir.VectorType(number, 2 * width)
        both = builder.load(_pointer(context, builder, signature.args[1], values[1], values[2], narrow), align=2)
        two = builder.load(_pointer(context, builder, signature.args[3], values[3], values[4], number), align=2)
        first = builder.insert_element(ir.Constant(ir.VectorType(number, width), ir.Undefined), two, number(0))
        repeated = builder.bitcast(_pick(builder, first, [0] * width), narrow)
        products = builder.mul(builder.sext(both, wide), builder.sext(repeated, wide))
        even, odd = (_pick(builder, products, list(range(start, 2 * width, 2))) for start in (0, 1))
        return builder.add(values[0], builder.add(even, odd))

    return total(total, pairs, types.uint64, factors, types.uint64), generate


@intrinsic
def prefetch(_typing: Any, array: Any, place: Any) -> Any:
    """Ask for the cache line of a place of a one-dimensional array, to be read soon; it may lie outside."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        pointer = builder.bitcast(builder.gep(data, [values[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(array, types.uint64), generate


@intrinsic
def rounded(_typing: Any, lanes: Any) -> Any:
    """Round to int16."""
    whole = LanesType(lanes.width, 16)

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(values[0].type, [values[0].type])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.rint.v{lanes.width}f32")
        return builder.fptosi(builder.call(function, values), whole.vector())

    return whole(lanes), generate


@intrinsic
def floats(_typing: Any, lanes: Any) -> Any:
    """Turn whole numbers into float32."""
    found = LanesType(lanes.width)

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.sitofp(values[0], found.vector())

    return found(lanes), generate


@intrinsic
def any_larger(_typing: Any, one: Any, other: Any) -> Any:
    """Say whether a number of the first is larger than that of the other in the same lane."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        bits = builder.bitcast(builder.fcmp_ordered(">", *values), ir.IntType(one.width))
        return builder.icmp_unsigned("!=", bits, ir.IntType(one.width)(0))

    return types.boolean(one, other), generate


@intrinsic
def larger(_typing: Any, one: Any, other: Any) -> Any:
    """Take the larger number lane by lane."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return _larger(builder, *values)

    return one(one, other), generate


@intrinsic
def largest(_typing: Any, lanes: Any) -> Any:
    """Return the largest of the lanes, float32."""

    def generate(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value, width = values[0], signature.args[0].width
        while width > 1:
            width //= 2
            halves = _pick(builder, value, list(range(width))), _pick(builder, value, list(range(width, 2 * width)))
            value = _larger(builder, *halves)
        return builder.extract_element(value, ir.IntType(32)(0))

    return types.float32(lanes), generate


@compiled
def ask_for(array: Any, begin: Any, end: Any, step: Any) -> Any:
    """Ask for the cache lines begin:end of a one-dimensional array, of which one holds `step` numbers."""
    for number in range(types.uint64(begin), types.uint64(end), types.uint64(step)):
        prefetch(array, number)


@compiled
def sum_of_first(numbers: Any, count: Any) -> Any:
    """Add up the first numbers of a float32 array."""
    total = types.float32(0)
    for number in range(types.uint64(count)):
        total += numbers[number]
    return total
