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

Each scenario of the design has tests over the real service and store. The name of a test begins with
`test_scenario_` and the number; the table has the rest of it. Tests of the client are in `tools/savesync/tests`, those
of the service in `services/gateway/tests` and `packages/savegames/tests`.

| number | situation | result | tests |
|---|---|---|---|
| 1 | a merge without units, or of a unit that is not there | refused; a player chooses one side for all | `a_key_that_is_no_unit_is_refused`, `a_save_without_units_is_never_merged`, `merge_without_units_is_refused` |
| 2 | two machines change two units | merged by itself where the policy says so, with two parents and no byte sent | `two_units_merge_themselves`, `units_merge_without_a_question` |
| 3 | one side deletes a file that the other one left | it stays deleted | `a_deleted_file_stays_deleted`, `a_deleted_file_stays_deleted_on_all_machines` |
| 4 | one side deletes a file that the other one changed | never merged by itself; a player decides | `a_player_decides_between_delete_and_change`, `delete_against_change_is_asked` |
| 5 | only times of files differ | identical: nothing is sent | `only_times_differ`, `only_times_of_files_differ` |
| 6 | the same bytes, packed in another way | identical; a false hash of the bytes before packing names the path | `raw_bytes_and_a_false_raw_hash` |
| 7 | files in any order, letters beyond the basic plane | the published hash | `any_order_and_astral_letters` |
| 8 | a path with another spelling of its letters | no file deleted and added; the newest spelling wins | `a_new_spelling_moves_nothing`, `a_new_spelling_sends_nothing` |
| 9 | three of a thousand files changed | three URLs; a list and its delta are equal | `only_what_changed_is_sent_and_received`, `three_of_a_thousand_and_a_delta`, `three_of_a_thousand_cost_three` |
| 10 | a file of 40 MB is cut after three parts, or damaged on the way | only the rest is sent; damaged parts are refused | `bytes_damaged_on_the_way_are_refused`, `only_the_rest_of_a_large_file_is_sent` |
| 11 | two uploads of one content, one of them cancelled | the other one commits; the content counts once | `two_uploads_of_one_content_count_once` |
| 12 | killed between two calls | one version and one event | `a_client_killed_between_two_calls`, `a_service_killed_at_any_call_of_a_commit` |
| 13 | a content is lost before the commit | it is asked for again | `a_content_lost_before_the_commit_is_sent_again`, `content_lost_meanwhile_is_asked_again` |
| 14 | many uploads on an old base | one conflict of a device | `fifty_branches_of_one_device`, `many_branches_of_one_device`, `who_plays_on_in_a_conflict_has_one_conflict` |
| 15 | a base that the device never had | refused; the head is unchanged | `base_not_synced` |
| 16 | the content of an older version | a question; `restore` needs none | `a_regression_is_named_and_a_restore_passes`, `an_older_content_is_a_question`, `regression_is_named_restore_passes` |
| 17 | more than half of the files are gone | a question, until the number is confirmed | `a_player_confirms_the_number`, `shrinking_asks_for_the_count` |
| 18 | played elsewhere and not uploaded | said before the launch, with the time that was played | `exit_without_commit_is_pending`, `what_was_not_uploaded_is_said` |
| 19 | a policy that covers less than before | nothing is deleted | `a_narrower_policy_deletes_nothing`, `a_new_policy_deletes_nothing` |
| 20 | a database that is older than the store | whole sets are adopted, others are named | `a_whole_set_is_adopted_a_half_one_is_not` |
| 21 | killed at any point between two versions, by a frozen store or without a network at the launch | exactly the old or the new version; the game's own files stay | `a_clock_that_was_set_back_changes_nothing`, `killed_at_any_time_and_offline_at_the_launch`, `killed_at_every_step`, `killed_between_two_versions`, `killed_while_the_store_is_frozen` |
| 22 | the game writes during the scan or the transfer, or never stops; the service is lost | each version is of one moment; else nothing is uploaded, and the exit code is 4 | `a_service_that_is_lost_during_the_upload`, `a_writer_during_the_transfer_is_not_in_the_version`, `a_writer_that_never_ends_is_deferred`, `no_version_holds_what_a_game_has_half_written` |
| 23 | a folder is missing or not mounted, or a file cannot be read | nothing is uploaded or deleted; the path is named | `a_disk_that_is_not_mounted_empties_nothing`, `a_file_that_cannot_be_read_is_named`, `a_missing_root_changes_nothing` |
| 24 | an empty folder, a game that wrote its defaults first, machines or processes in turn | filled from the cloud; a conflict, so defaults never replace progress; none | `a_new_machine_gets_the_ninth_version`, `an_empty_folder_is_filled`, `defaults_never_replace_progress_when_killed`, `defaults_that_were_written_first_are_a_conflict`, `two_machines_in_turn_have_no_conflict`, `two_processes_in_turn_have_no_conflict` |
| 25 | names of other systems, long paths, links, a full disk | byte for byte on the other machine, or refused with the old folder intact | `a_full_disk_leaves_the_old_folder`, `a_link_that_leads_outwards_is_not_written_through`, `names_of_all_systems_go_round`, `two_spellings_of_one_name_are_refused_by_name` |
END
