"""The table that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.figures import Figure

HEADER = ("what", "measured", "floor", "ratio", "target", "", "samples; what the floor is")


def render(rows: Mapping[str, Sequence[Figure]]) -> str:
    """All figures, by row."""
    lines: list[tuple[str, ...]] = []
    for name, figures in rows.items():
        lines.append((f"[{name}]",) + ("",) * 6)
        lines += [_line(figure) for figure in figures]
    widths = [max(len(line[column]) for line in [HEADER, *lines]) for column in range(len(HEADER))]
    return "\n".join(
        _padded(line, widths) for line in [HEADER, tuple("-" * width for width in widths), *lines]
    )


def _padded(cells: tuple[str, ...], widths: Sequence[int]) -> str:
    numbers = {1, 2, 3}
    return "  ".join(
        cell.rjust(width) if column in numbers else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def _line(figure: Figure) -> tuple[str, ...]:
    notes = [figure.of, f"floor: {figure.floor_is}" if figure.floor_is else ""]
    return (
        "  " + figure.what,
        _number(figure.value, figure.unit),
        "" if figure.floor is None else _number(figure.floor, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.2f} x",
        _target(figure),
        {"-": "", "ok": "ok", "MISS": "MISS"}[figure.verdict],
        "; ".join(note for note in notes if note),
    )


def _target(figure: Figure) -> str:
    parts = []
    if figure.limit is not None:
        parts.append(f"<= {_number(figure.limit, figure.unit)}")
    if figure.ratio_limit is not None:
        parts.append(f"<= {figure.ratio_limit:g} x")
    return ", ".join(parts)


def _number(value: float, unit: str) -> str:
    digits = 0 if value == int(value) or abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()
