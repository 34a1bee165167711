"""Plots of figures as SVG: a pure function. A chart of bars does not need a library of megabytes."""

from collections.abc import Sequence
from xml.etree import ElementTree

from gameshelf.devstack.measurements.figures import Figure, Results
from gameshelf.devstack.measurements.page import number

_WIDTH, _ROW, _TOP, _LEFT, _RIGHT = 820, 44, 40, 260, 90
_COLOURS = {"measured": "#2f6fb3", "floor": "#c3cfdb", "spread": "#16324f"}
_NAMES = {"requests/s": "requests.svg", "purchases/s": "purchases.svg", "ms": "latencies.svg"}


def plots_of(results: Results) -> dict[str, str]:
    """Returns a picture for each unit that is plotted, by the name of its file."""
    found: dict[str, str] = {}
    for unit, name in _NAMES.items():
        if figures := [figure for figure in results.figures if figure.unit == unit]:
            found[name] = bars(figures, unit)
    return found


def bars(figures: Sequence[Figure], unit: str) -> str:
    """Each figure is a bar as long as its median, with a line from the least to the greatest round, above its floor."""
    most = max(max(figure.spread[1], figure.floor_median or 0) for figure in figures)
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    height = _TOP + _ROW * len(figures) + 8
    picture = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {height}",
            "font-family": "sans-serif",
            "font-size": "13",
        },
    )
    _rectangle(picture, 0, 0, _WIDTH, height, "#ffffff")
    _text(picture, 12, 22, f"{unit}: dark the median, a line from the least to the greatest round; light the floor")
    for place, figure in enumerate(figures):
        top = _TOP + place * _ROW
        _text(picture, 12, top + 18, figure.what)
        _rectangle(picture, _LEFT, top + 4, figure.median * scale, 16, _COLOURS["measured"])
        least, greatest = figure.spread
        _rectangle(picture, _LEFT + least * scale, top + 11, (greatest - least) * scale, 2, _COLOURS["spread"])
        _text(picture, _LEFT + greatest * scale + 8, top + 17, number(figure.median))
        if figure.floor_median is not None:
            _rectangle(picture, _LEFT, top + 22, figure.floor_median * scale, 10, _COLOURS["floor"])
            _text(picture, _LEFT + figure.floor_median * scale + 8, top + 32, number(figure.floor_median))
    ElementTree.indent(picture)
    return ElementTree.tostring(picture, encoding="unicode") + "\n"


def _rectangle(picture: ElementTree.Element, x: float, y: float, width: float, height: float, colour: str) -> None:
    sizes = {"x": x, "y": y, "width": width, "height": height}
    ElementTree.SubElement(picture, "rect", {name: f"{size:.1f}" for name, size in sizes.items()} | {"fill": colour})


def _text(picture: ElementTree.Element, x: float, y: float, text: str) -> None:
    ElementTree.SubElement(picture, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "fill": "#16324f"}).text = text
