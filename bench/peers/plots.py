"""Plots as SVG, by hand: horizontal bars on a logarithmic scale, legible on light and dark pages."""
import html
import math

STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.small { font-size: 11px; fill: #57606a }
.ours { fill: #0969da } .theirs { fill: #8c959f }
.range { stroke: #24292f; stroke-width: 1.2 }
.grid { stroke: #d0d7de; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #8d96a0 }
  .ours { fill: #4493f8 } .theirs { fill: #6e7681 }
  .range { stroke: #e6edf3 } .grid { stroke: #30363d }
}
</style>"""
WIDTH, LEFT, RIGHT, ROW, TOP = 760, 170, 110, 24, 58


def in_words(value):
    """Three digits, with separators: 319,000; 0.52."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    rounded = round(value, 2 - math.floor(math.log10(abs(value))))
    return f"{rounded:,.{digits}f}"


def decades(least, most):
    """The powers of ten around these values."""
    return range(math.floor(math.log10(least)), math.ceil(math.log10(most) + 1e-9) + 1)


def bars(title, subtitle, rows, unit=""):
    """rows: (name, (least, median, most), whether it is ours), from the top down. Returns the text of the SVG."""
    scale = decades(min(span[0] for _, span, _ in rows), max(span[2] for _, span, _ in rows))
    low, high = scale[0], scale[-1]
    height = TOP + ROW * len(rows) + 30

    def x(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(value) - low) / max(1, high - low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
           f'aria-label="{html.escape(title)}">', STYLE,
           f'<text class="title" x="8" y="22">{html.escape(title)}</text>',
           f'<text class="small" x="8" y="40">{html.escape(subtitle)}</text>']
    for decade in range(low, high + 1):
        at = x(10.0**decade)
        out.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 6}" y2="{height - 24}"/>')
        out.append(f'<text class="small" x="{at:.1f}" y="{height - 8}" text-anchor="middle">{10.0**decade:,.12g}{unit}</text>')
    for number, (name, span, ours) in enumerate(rows):
        y = TOP + ROW * number
        least, median, most = (x(value) for value in span)
        out.append(f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>')
        out.append(f'<rect class="{"ours" if ours else "theirs"}" x="{LEFT}" y="{y + 2}" rx="2" '
                   f'width="{max(1.0, median - LEFT):.1f}" height="{ROW - 8}"/>')
        if most - least > 2:
            out.append(f'<line class="range" x1="{least:.1f}" x2="{most:.1f}" y1="{y + 10}" y2="{y + 10}"/>')
        out.append(f'<text x="{max(median, most) + 6:.1f}" y="{y + 14}">{in_words(span[1])}{unit}</text>')
    return "\n".join([*out, "</svg>", ""])
