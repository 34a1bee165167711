"""Covers and icons of the made-up games: small SVGs, drawn from a name alone, so that it always looks the same."""

from collections.abc import Callable, Sequence
from colorsys import hls_to_rgb
from hashlib import sha256
from html import escape
from random import Random

WIDTH, HEIGHT = 300, 400
_ICON = 64
_SYMBOLS = (
    "M32 10 38 25 54 26 42 36 46 52 32 43 18 52 22 36 10 26 26 25Z",  # a star
    "M14 28h36v24H14zM18 28a14 14 0 0 1 28 0M29 36h6v8h-6z",  # a chest
    "M22 22a10 10 0 1 0 8 14h10v8h8v-8h4v-8H30a10 10 0 0 0-8-6zM22 29a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",  # a key
    "M18 12h28v10a14 14 0 0 1-28 0zM28 36h8v10h8v6H20v-6h8z",  # a cup
)


def cover(slug: str, title: str) -> str:
    """A cover: a landscape in two colours, with the title on it."""
    chance = _chance(slug)
    hue = chance.random()
    far, near, light = _colour(hue, 0.22), _colour(hue + 0.06, 0.42), _colour(hue + 0.5, 0.78)
    x, y, radius = chance.randint(60, 240), chance.randint(60, 150), chance.randint(24, 52)
    sun = f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{light}"/>'
    scene = chance.choice(_SCENES)(chance, near, light)
    lines = _lines(title)
    size = min(34, int(252 / (0.68 * max(len(line) for line in lines))))
    words = "".join(
        f'<text x="24" y="{HEIGHT - 24 - (size + 6) * (len(lines) - 1 - number)}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{far}"/>'
        f'<stop offset="1" stop-color="{near}"/></linearGradient></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#sky)"/>{sun}{scene}'
        f'<rect y="{HEIGHT - 120}" width="{WIDTH}" height="120" fill="#000" fill-opacity=".45"/>'
        f'<g fill="#fff" font-family="system-ui, sans-serif" font-weight="700" font-size="{size}">{words}</g></svg>'
    )


def icon(slug: str, name: str, *, locked: bool) -> str:
    """The icon of an achievement; a locked one is grey."""
    chance = _chance(f"{slug}/{name}")
    hue = _chance(slug).random()
    ground, sign = ("#3a3d42", "#8b9098") if locked else (_colour(hue, 0.32), _colour(hue + 0.5, 0.8))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_ICON} {_ICON}" width="{_ICON}" height="{_ICON}">'
        f'<rect width="{_ICON}" height="{_ICON}" rx="12" fill="{ground}"/>'
        f'<path d="{chance.choice(_SYMBOLS)}" fill="{sign}" fill-rule="evenodd"/></svg>'
    )


def _chance(name: str) -> Random:
    return Random(sha256(name.encode()).digest())


def _colour(hue: float, lightness: float) -> str:
    red, green, blue = (round(255 * part) for part in hls_to_rgb(hue % 1, lightness, 0.55))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _lines(title: str, width: int = 14) -> Sequence[str]:
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _mountains(chance: Random, near: str, light: str) -> str:
    ridges = []
    for depth in range(3):
        base = 200 + 50 * depth
        points = " ".join(f"{x},{base - chance.randint(0, 90)}" for x in range(0, WIDTH + 1, 50))
        ridges.append(f'<polygon points="0,{HEIGHT} {points} {WIDTH},{HEIGHT}" fill="#000" fill-opacity=".25"/>')
    return "".join(ridges)


def _towers(chance: Random, near: str, light: str) -> str:
    houses = []
    for x in range(0, WIDTH, 30):
        top = chance.randint(140, 260)
        houses.append(f'<rect x="{x}" y="{top}" width="28" height="{HEIGHT - top}" fill="#000" fill-opacity=".5"/>')
        houses += [
            f'<rect x="{x + 6 + 10 * column}" y="{top + 12 + 18 * row}" width="6" height="8" fill="{light}"/>'
            for row in range(4)
            for column in range(2)
            if chance.random() < 0.5
        ]
    return "".join(houses)


def _waves(chance: Random, near: str, light: str) -> str:
    waves = []
    for depth in range(5):
        y, swing = 190 + 34 * depth, chance.randint(10, 26)
        curve = f"M0 {y}" + "".join(f" q 37.5 {-swing} 75 0 t 75 0" for _ in range(2))
        waves.append(f'<path d="{curve} V{HEIGHT} H0Z" fill="{near}" fill-opacity=".55"/>')
    return "".join(waves)


def _trees(chance: Random, near: str, light: str) -> str:
    trees = []
    for _ in range(16):
        x, foot, size = chance.randint(0, WIDTH), chance.randint(240, 330), chance.randint(24, 46)
        trees.append(
            f'<path d="M{x} {foot - 3 * size} l{size} {2 * size} h-{2 * size}z M{x - 4} {foot - size} h8 v{size} h-8z" '
            f'fill="#000" fill-opacity=".4"/>'
        )
    return "".join(trees)


def _stars(chance: Random, near: str, light: str) -> str:
    stars = ""
    for _ in range(60):
        x, y, radius = chance.randint(0, WIDTH), chance.randint(0, 270), chance.choice((1, 1.5, 2.5))
        stars += f'<circle cx="{x}" cy="{y}" r="{radius}" fill="#fff"/>'
    x = chance.randint(90, 210)
    ship = f'<path d="M{x} 150 l26 90 h-16 v34 h-20 v-34 h-16z" fill="{light}"/>'
    return stars + ship


def _pieces(chance: Random, near: str, light: str) -> str:
    pieces = []
    for row in range(5):
        for column in range(5):
            x, y = 30 + 50 * column, 40 + 50 * row
            if chance.random() < 0.55:
                colour = chance.choice((near, light, "#ffffff"))
                turned = chance.randrange(0, 90, 15)
                pieces.append(
                    f'<rect x="{x}" y="{y}" width="38" height="38" rx="{chance.choice((4, 19))}" fill="{colour}" '
                    f'fill-opacity=".75" transform="rotate({turned} {x + 19} {y + 19})"/>'
                )
    return "".join(pieces)


_SCENES: Sequence[Callable[[Random, str, str], str]] = (_mountains, _towers, _waves, _trees, _stars, _pieces)
