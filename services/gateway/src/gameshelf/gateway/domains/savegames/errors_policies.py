"""What is wrong with a policy of saves: the texts of its rules."""

from collections.abc import Mapping

POLICY_RULES: Mapping[str, tuple[str, str]] = {
    "policy_too_large": ("Правила продукта больше 64 КиБ.", "The policy is larger than 64 KiB of JSON."),
    "root_name": ("Такое имя есть не во всех системах.", "Not every system can hold this name."),
    "place_start": (
        "Место начинается с папки, такой как <home>, <base> или <winDocuments>.",
        "A place begins with a folder such as <home>, <base> or <winDocuments>.",
    ),
    "place_placeholder": ("Здесь нет такой подстановки.", "There is no such placeholder here."),
    "place_too_wide": (
        "В этом месте лежали бы файлы и других программ; назовите папку одной игры.",
        "This place would have files of other programs; name a folder of one game.",
    ),
    "place_private": (
        "Здесь хранятся секреты или программы, которые запускаются сами.",
        "A folder with secrets, or with programs that start by themselves, is in the way.",
    ),
    "place_part_empty": ("В месте есть пустое имя.", "A part of the place is empty."),
    "place_part_dots": (
        "Части места не могут быть «.» или «..» и не начинаются с «~».",
        "A part of a place is not '.' or '..', and does not begin with '~'.",
    ),
    "place_character": (
        'Управляющие символы и < > : " | \\ в месте недопустимы.',
        'A place may not have control characters, nor < > : " | \\.',
    ),
    "place_other_name": (
        "Имя не кончается точкой или пробелом и не имеет «~» с цифрой: Windows прочтёт его иначе.",
        "A part may not end with a dot or a space, nor have '~' and a digit: Windows reads it as another name.",
    ),
    "pattern_empty": ("Шаблон не может быть пустым.", "A pattern may not be empty."),
    "pattern_too_long": ("В шаблоне больше 256 знаков.", "The pattern has more than 256 characters."),
    "pattern_absolute": ("Шаблон не может начинаться с «/».", "A pattern may not begin with '/'."),
    "pattern_character": (
        "В шаблоне есть символ, которого в путях не бывает.",
        "The pattern has a character that no path has.",
    ),
    "pattern_part_empty": ("В шаблоне есть пустое имя.", "A part of the pattern is empty."),
    "pattern_part_dots": ("В шаблоне не может быть «.» и «..».", "A pattern may not have the parts '.' and '..'."),
    "pattern_too_many_parts": ("В шаблоне больше 32 частей.", "The pattern has more than 32 parts."),
    "pattern_braces": ("Имя в скобках: {{имя}}.", "A capture is a name in braces: {{name}}."),
    "pattern_stars": ("«**» может быть только целой частью пути.", "'**' has to be a whole part of the path."),
    "pattern_adjacent": (
        "Между двумя подстановками нужен текст.",
        "Two wildcards need something between them.",
    ),
    "pattern_too_many_names": ("В шаблоне больше 8 имён.", "The pattern has more than 8 captures."),
    "pattern_repeated_name": ("Имя в шаблоне повторяется.", "A capture of the pattern is repeated."),
    "unit_name": (
        "Ожидается имя; имена из шаблонов стоят в скобках.",
        "A name is expected; captures of the patterns stand in braces.",
    ),
    "unit_capture": (
        "В каждом шаблоне нужны все имена, что стоят в имени единицы.",
        "Each pattern needs all captures that the name of the unit has.",
    ),
    "unit_patterns": ("Шаблонов единиц больше 256.", "There are more than 256 patterns of units."),
    "process_name": ("Ожидается имя программы без папки.", "The name of a program without its folder is expected."),
}
"""Rule → message when it is broken, in Russian and English."""
