"""Plots as SVG of how a figure changes while something grows: the figure from 0 upwards, what grows on a logarithmic
scale, so that what is flat looks flat, and what grows with the logarithm is a straight line."""
import html
import math

from plots import STYLE, decades, in_words

LINE_STYLE = """<style>
.line { fill: none; stroke-width: 2 }
.redis { stroke: #0969da } .sqlite { stroke: #bc4c00 }
.dot.redis { fill: #0969da } .dot.sqlite { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  .redis { stroke: #4493f8 } .sqlite { stroke: #f0883e }
  .dot.redis { fill: #4493f8 } .dot.sqlite { fill: #f0883e }
}
</style>"""
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 300, 64, 90, 58, 46


def ticks(most):
    """Round numbers from 0 to at least `most`, about five of them."""
    step = 10.0 ** math.floor(math.log10(most / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if most / (step * factor) <= 5)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def grid(scale, marks, x, y, axis):
    out = []
    for decade in scale:
        at = x(10.0**decade)
        out.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        out.append(f'<text class="small" x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{10.0**decade:,.12g}</text>')
    for mark in marks:
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(mark):.1f}" y2="{y(mark):.1f}"/>')
        out.append(f'<text class="small" x="{LEFT - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{mark:,.6g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*out, f'<text class="small" x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{html.escape(axis)}</text>']


def plot(title, subtitle, axis, curves):
    """curves: {name: [(n, value)]}; a curve has the class of its name in lower case. Returns the text of the SVG."""
    points = [point for curve in curves.values() for point in curve]
    scale = decades(min(n for n, _ in points), max(n for n, _ in points))
    marks = ticks(max(value for _, value in points) or 1)

    def x(n):
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(n) - scale[0]) / max(1, scale[-1] - scale[0])

    def y(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / marks[-1]

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
           f'aria-label="{html.escape(title)}">', STYLE, LINE_STYLE,
           f'<text class="title" x="8" y="22">{html.escape(title)}</text>',
           f'<text class="small" x="8" y="40">{html.escape(subtitle)}</text>', *grid(scale, marks, x, y, axis)]
    for name, curve in curves.items():
        kind = name.lower()
        path = " ".join(f"{x(n):.1f},{y(value):.1f}" for n, value in curve)
        out.append(f'<polyline class="line {kind}" points="{path}"/>')
        out += [f'<circle class="dot {kind}" cx="{x(n):.1f}" cy="{y(value):.1f}" r="3"/>' for n, value in curve]
        n, value = curve[-1]
        out.append(f'<text x="{x(n) + 8:.1f}" y="{y(value) + 4:.1f}">{name} {in_words(value)}</text>')
    return "\n".join([*out, "</svg>", ""])
