"""What the README shows works."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


async def test_the_example_of_the_readme(service, owned, player, capsys):
    code = re.search(r"```python\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    names = {}
    exec(code, names)
    await names["unlock_everywhere"](player.token, "FIRST_STEP", service.api)
    assert capsys.readouterr().out == "ACHIEVEMENT_NOT_FOUND\n"
