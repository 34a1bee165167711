#!/usr/bin/env bash
# The saves of a game on two machines, with the output that the client really has: prints docs/savesync.md.
#
#     ./dev up --fresh --detach && docs/savesync.sh > docs/savesync.md && ./dev down
#
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/.venv/bin:$PATH" COLUMNS=80 TERM=dumb
ANNA=a11a0000-0000-4000-8000-000000000001
setting() { ./dev env | sed -n "s/^$1=//p"; }
LIBRARY_API="http://127.0.0.1:$(setting LIBRARY_SERVICE_HTTP_PORT)/api/v1/library"
LIBRARY_TOKEN=$(./dev token --user $ANNA --role user)
SAVESYNC_PRODUCT=$(curl -sf -H "Authorization: Bearer $LIBRARY_TOKEN" "$LIBRARY_API/items?limit=1" | python -c \
  'import json, sys; print(json.load(sys.stdin)["data"][0]["attributes"]["product_id"])')
export LIBRARY_API LIBRARY_TOKEN SAVESYNC_PRODUCT
unset XDG_STATE_HOME XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

say() { printf '\n%s\n' "$1" | fmt -w 120; }
# Types each answer when the terminal shows another question.
typed() {
  local count=0 answer
  for answer in $1; do
    count=$((count + 1))
    until [ "$(grep -o 'to decide later: ' "$WORK/screen" 2>/dev/null | wc -l)" -ge $count ]; do sleep 0.1; done
    echo "$answer"
  done
}
# Shows commands on a machine with what they answer. An answer that is typed stands behind `<<<`.
on() {
  printf '\n```console\n'
  local machine=$1 line
  for line in "${@:2}"; do
    printf '%s:~$ %s\n' "$machine" "${line%% <<<*}"
    if [[ $line == *'<<<'* ]]; then
      local answers=${line##*<<< }
      rm -f "$WORK/screen"
      typed "${answers//,/ }" |
        HOME="$WORK/$machine" script -qefc "cd $WORK/$machine && ${line%% <<<*}" "$WORK/screen" 2>&1 | sed '/^\r*$/d'
    else
      HOME="$WORK/$machine" bash -c "cd $WORK/$machine && $line" 2>&1 || true
    fi | sed -e 's/\r//g' -e 's/ *$//' -e "s|$WORK/$machine|/home/anna|g"
  done
  printf '```\n'
}
# Shows a command of somebody who sees the disks of both machines.
on_both() {
  printf '\n```console\n'
  local line
  for line in "$@"; do
    printf '/home$ %s\n' "$line"
    (cd "$WORK" && bash -c "$line" 2>&1 || true)
  done
  printf '```\n'
}
quietly() { HOME="$WORK/$1" bash -c "cd $WORK/$1 && $2" > /dev/null 2>&1 || true; }

POLICY='{"revision": 1, "mode": "sync", "merge": "never",
  "roots": {"saves": {"where": [{"when": [{"os": "windows"}], "path": "<winAppData>/Dragon Tales/saves"},
                                {"path": "<xdgData>/dragon-tales/saves"}],
                      "include": ["**"], "exclude": ["**/*.log"]}},
  "units": [{"name": "{world}", "match": ["saves/worlds/{world}/**"]}],
  "limits": {"max_file_bytes": 100000000},
  "settle_seconds": 2, "processes": ["dragon.exe", "dragon"]}'
./dev publish com.platform.catalog.product.updated.v1 \
  "{\"productId\": \"$SAVESYNC_PRODUCT\", \"savegamePolicy\": $POLICY}" > /dev/null
until curl -sf -H "Authorization: Bearer $LIBRARY_TOKEN" "$LIBRARY_API/savegames/policy/$SAVESYNC_PRODUCT" |
  grep -q dragon; do sleep 0.2; done

export SAVES=.local/share/dragon-tales/saves
mkdir -p "$WORK/deck/$SAVES" "$WORK/pc/$SAVES"
# A folder as games make them: 200 files, nested, binary and text, and one of 60 MB.
python - "$WORK/deck/$SAVES" <<'END'
import random, sys
from pathlib import Path

saves, chance = Path(sys.argv[1]), random.Random(12)


def put(path, content):
    file = saves / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


put("profile.json", '{"name": "Анна", "hours": 212}\n')
put("screenshots/башня.png", b"\x89PNG\r\n\x1a\n" + chance.randbytes(90_000))
for world, day, chunks in (("Долина", 12, 120), ("Peak", 3, 70)):
    put(f"worlds/{world}/meta.txt", f"day {day}\n")
    for chunk in range(chunks):
        name = f"регион {chunk % 4}" if world == "Долина" else f"region.{chunk % 4}"
        put(f"worlds/{world}/{name}/chunk {chunk:03}.dat", chance.randbytes(2_000 + 97 * chunk))
for hero in ("Анна", "Борис", "Ю. Ё."):
    put(f"worlds/Долина/герои/{hero}.json", f'{{"hero": "{hero}", "level": {len(hero)}}}\n')
put("worlds/Peak/heroes/Anna.json", '{"hero": "Anna", "level": 1}\n')
put("worlds/Долина/level.dat", chance.randbytes(60_000_000))
put("worlds/Peak/level.dat", chance.randbytes(120_000))
END

cat <<'END'
# Synchronising the folders of a game

Recorded by `docs/savesync.sh` against `./dev up`: the output below is real, 80 columns wide. Another run differs in
ids and times.

`savesync` keeps the saves of a game the same on all machines of a player. It needs no help of the game: the policy of
the product says in which folders the saves lie. Install it with `pip install gameshelf-savesync`;
its [README](../tools/savesync/README.md) describes the modules.

| variable | meaning |
|---|---|
| `LIBRARY_TOKEN` | token of the account |
| `LIBRARY_API` | address of the service; `https://`, except on the same machine |
| `SAVESYNC_PRODUCT` | id of the game, or the option `--product` |
END

say '## Two machines

Anna has played on her deck. Her saves are 200 files in nested folders, with Cyrillic names, and one of them has 60 MB.
`status` shows what would be done, `sync` does it. It waits until the game has ended and has finished writing; `--now`
does not wait.'
on deck "find $SAVES -type f | wc -l" 'savesync status' 'savesync sync --comment "before the dragon"'
say 'On the PC the folder is still empty.'
on pc 'savesync sync' "cd $SAVES; find . -maxdepth 3 -not -name '*.dat' | sort"
say 'The two home folders of this page lie on one disk, so they can be compared byte for byte. `$SAVES` stands for
`.local/share/dragon-tales/saves`.'
on_both 'diff -r deck/$SAVES pc/$SAVES && echo "no difference"'
say 'What has not changed is not sent again: the cloud stores each content of a player once.'
quietly deck "echo day 13 > $SAVES/worlds/Долина/meta.txt; echo '{\"name\": \"Анна\", \"hours\": 214}' > $SAVES/profile.json"
on deck 'savesync sync' 'savesync sync'

say '## A conflict

The PC was offline, and Anna has played there as well: one world differs on both sides, another one on the PC alone, and
what belongs to no world on the deck alone. The cloud keeps both versions until she decides, and she can continue to
play meanwhile.'
quietly pc "echo day 12, with a horse > $SAVES/worlds/Долина/meta.txt; echo day 4 > $SAVES/worlds/Peak/meta.txt
  printf 'the horse' | dd of='$SAVES/worlds/Долина/level.dat' bs=1 seek=30000000 conv=notrunc
  rm '$SAVES/worlds/Peak/region.3/chunk 003.dat'; echo new > '$SAVES/worlds/Peak/region.3/chunk 070.dat'"
for machine in deck pc; do cp -r "$WORK/$machine/$SAVES" "$WORK/$machine.before"; done
on pc 'savesync sync'
say 'On a terminal the command asks. The policy of this game declares each world as a unit, so Anna can merge: she chooses a
side for each world that both sides have changed. A unit is never put together from files of both sides.'
on pc 'savesync sync <<< m,l'
say 'The deck gets the result.'
on deck 'savesync sync' "cd $SAVES; head -n 1 worlds/*/meta.txt profile.json"
say 'Both machines have the same bytes again: both worlds are those of the PC, and the profile is that of the deck.
`pc.before` and `deck.before` are copies that were made before the merge.'
on_both 'diff -r deck/$SAVES pc/$SAVES && echo "no difference"' \
  'diff -r pc.before/worlds deck/$SAVES/worlds && echo "no difference"' \
  'diff deck.before/profile.json pc/$SAVES/profile.json && echo "no difference"'

say '## History

Each version stays for a while. `restore` makes an older one the newest, or only one world of it; what the folders hold is
uploaded before.'
on deck 'savesync history' 'savesync restore --version 1 --unit Долина' "cat $SAVES/worlds/Долина/meta.txt"

say '## Questions

A version that lacks more than half of the files, or a whole unit, may be the result of a disk that is not mounted. The
cloud keeps its version until the player confirms the number.'
quietly pc 'savesync sync --now'
quietly pc "rm -r $SAVES/worlds/Peak"
on pc 'savesync sync --now; echo "exit code $?"' 'savesync sync --now --confirm-removals 73'
say 'A folder that is missing is no empty save. Nothing is uploaded, and nothing is deleted on other machines.'
quietly deck "mv $SAVES $SAVES.away"
on deck 'savesync sync'
quietly deck "mv $SAVES.away $SAVES"

say '## For a launcher

`--json` prints one object, `watch` one per line. A launcher runs `sync --intent launch` before the game starts and
`sync --intent exit` after it has ended; the exit code says what follows.'
on deck 'savesync sync --intent launch --json'
cat <<'END'

| exit code | meaning |
|---|---|
| 0 | in sync: the game can start |
| 1 | failed; the folders are as they were |
| 2 | wrong usage |
| 3 | a decision is needed: a conflict, a question, or another machine that has not uploaded |
| 4 | deferred: the game runs, the network is away, or another process synchronises |

`savesync watch` runs until it is interrupted, and synchronises whenever the game has ended or its files have changed.
END

say '## The policy of a game

The Catalog publishes it with the product; support imports it from a file of the community
(`libctl policy import`). The one of this page:'
printf '\n```json\n%s\n```\n' "$POLICY"
cat <<'END'

* A place begins with a placeholder: `<home>`, `<winAppData>`, `<winLocalAppData>`, `<winDocuments>`, `<xdgData>`,
  `<xdgConfig>`, `<base>` (the folder of the game), `<root>` (the library of the store) and others of the community's
  manifest. `--base`, `--library`, `--store` and `--store-user` fill them. With `--prefix` a game for Windows has the
  places of Windows inside its Wine or Proton prefix.
* `--root NAME=FOLDER` names the folder of a root itself, and `--policy FILE` is a policy of the launcher's own.
* A root of scope `os` is a slot of its own, such as `main (windows)`: one path cannot hold the files of two systems.
  `history` shows the versions of both, and `restore --slot "main (windows)"` names one of them. A root of scope
  `machine` is never uploaded.
* Places and patterns that would reach a home folder, a drive, folders with secrets or `..` are refused by the client
  as well as by the service.

## What happens when something goes wrong

The tests have the numbers of the design's scenarios: those of the service stand in `services/gateway/tests`, those of
the client in `tools/savesync/tests`.

END
cat <<'END'
| number | situation | result |
|---|---|---|
| 21 | killed at any point between two versions | the next run has exactly the old or the new one; the game's own files stay |
| 22 | the game writes during the scan or the transfer | the version is what the folders held at one moment |
| 22 | the game never stops writing | nothing is uploaded, and the exit code is 4 |
| 23 | a folder is missing, not mounted, or a file cannot be read | nothing is uploaded or deleted; the path is named |
| 24 | the folder is empty | it is filled from the cloud |
| 24 | the game wrote its defaults first | a conflict: they never replace progress |
| 24 | two machines, or two processes, in turn | no conflict |
| 25 | names that other systems cannot hold, long paths, links | byte for byte on the other machine; links are reported |
| 25 | two names that are one on other systems | refused, with both names |
| 25 | the disk is full | a download is an error that names the path, and the old folder is intact; an upload needs no room |

| number | situation, seen by the service | result |
|---|---|---|
| 1, 2 | both sides changed units | merged per unit, never per file; without units a side is chosen |
| 3, 4 | deleted on one side | stays deleted; against a change it is asked |
| 5, 6 | only times or the packing differ | the same content: nothing is sent |
| 7, 8 | order, normal forms and case of paths | the published hash; two spellings in one list are refused |
| 9, 10 | three of a thousand files changed; a large file in parts | only what is missing is sent, over several sittings |
| 11, 12, 13 | two uploads of one content; killed; a content lost meanwhile | one version, counted once, asked for again |
| 14, 15 | uploads on an old base | one conflict of a device; a base that was never synchronised is refused |
| 16, 17 | an older content; a save that shrinks | a question |
| 18 | played elsewhere and not uploaded | said before the launch |
| 19, 20 | a narrower policy; a restored database | nothing is deleted; whole sets are adopted, and a version that is lost is uploaded again |
END
