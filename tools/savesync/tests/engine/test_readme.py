"""The program of the README."""

import re
from pathlib import Path

import httpx
from gameshelf.client import LibraryClient

README = Path(__file__).parents[2] / "README.md"


async def test_the_program_of_the_readme_runs(cloud, service, objects, deck, desktop, capsys):
    [program] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(compile(program, str(README), "exec"), names)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(service))
    client = LibraryClient("http://service/api/v1/library", "token", http=http)
    async with http, httpx.AsyncClient(transport=httpx.ASGITransport(objects)) as store:
        for one, content in ((deck, "one"), (desktop, None)):
            if content:
                one.write(a=content)
            assert await names["may_start"](one.setup, client, store)
    assert desktop.files == {"a.sav": "one"}
    assert capsys.readouterr().out == "main upload 1 \nmain download 1 \n"
