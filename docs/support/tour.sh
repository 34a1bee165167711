#!/usr/bin/env bash
# A tour of libctl, with the output that it really has: prints docs/support/tour.md.
#
#     ./dev up --fresh --detach && docs/support/tour.sh > docs/support/tour.md && ./dev down
#
# It makes its own trouble for the demo players Anna and Boris, and erases Boris at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."

export PATH="$PWD/.venv/bin:$PATH" COLUMNS=110 LIBCTL_PROFILES=/dev/null
ANNA=a11a0000-0000-4000-8000-000000000001
BORIS=b0b00000-0000-4000-8000-000000000002
SUPPORT=5a990000-0000-4000-8000-000000000003
ADMIN=ad000000-0000-4000-8000-000000000004
setting() { ./dev env | sed -n "s/^$1=//p"; }
API="http://127.0.0.1:$(setting LIBRARY_SERVICE_HTTP_PORT)/api/v1/library"
LIBCTL_ENDPOINT="127.0.0.1:$(setting LIBRARY_SERVICE_GRPC_PORT)"
POSTGRES_DSN=$(setting POSTGRES_DSN)
export LIBCTL_ENDPOINT LIBRARY_API="$API" POSTGRES_DSN
token() { ./dev token --user "$1" --role "$2"; }
ANNAS=$(token $ANNA user)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

say() { printf '\n%s\n' "$1" | fmt -w 120; }
# Shows commands with what they answer, on standard output and on standard error, in the order of a terminal.
run() {
  printf '\n```console\n'
  local line
  for line in "$@"; do
    printf '$ %s\n' "$line"
    bash -c "cd $WORK && $line" 2>&1 | sed 's/ *$//' || true
  done
  printf '```\n'
}
json() { libctl --json "${@:2}" 2> /dev/null | python -c "import json, sys; print(eval('d$1', {'d': json.load(sys.stdin)}))"; }
post() { curl -sf -o /dev/null -H "Authorization: Bearer $ANNAS" -H 'Content-Type: application/json' -d "$2" "$API$1"; }

# What there is to be looked at: a game that was played for a while, and a save of two versions; a payment that is malformed.
GAME=$(curl -sf -H "Authorization: Bearer $ANNAS" "$API/items?limit=1" | python -c \
  'import json, sys; print(json.load(sys.stdin)["data"][0]["attributes"]["product_id"])')
at() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
post /playtime/sessions/import "{\"data\": {\"attributes\": {\"sessions\": [{\"client_session_id\": \"deck-1\", \"product_id\": \"$GAME\",
  \"start_time\": \"$(at '-26 hours')\", \"end_time\": \"$(at '-23 hours')\"}]}}}"
for level in 'level 1' 'level 2, and the dragon'; do
  printf '%s' "$level" > "$WORK/slot.sav"
  python examples/save_sync.py "$ANNAS" "$GAME" "$WORK/slot.sav" > /dev/null
done
./dev publish com.platform.payment.purchase.completed.v1 "{\"userId\": \"$ANNA\", \"orderId\": \"order-17\"}" > /dev/null

post /family/links "{\"data\": {\"attributes\": {\"shared_with_user_id\": \"$BORIS\"}}}"
BORIS_GAME=$(curl -sf -H "Authorization: Bearer $(token $BORIS user)" "$API/items?limit=1" | python -c \
  'import json, sys; print(json.load(sys.stdin)["data"][0]["attributes"]["product_id"])')

fmt -w 120 <<END
# A tour of libctl

Recorded by \`docs/support/tour.sh\` against \`./dev up\`: the output below is real. Another run differs only in ids and times.

\`LIBCTL_ENDPOINT\` is the address of the service, \`LIBCTL_TOKEN\` the token of a staff member. Anna is the user $ANNA, and $GAME is one of her games.
END

LIBCTL_TOKEN=$(token $SUPPORT support)
export LIBCTL_TOKEN
say "A staff member with the role \`support\` looks at Anna's data, her library, and why she may play a game."
run "libctl user show $ANNA" "libctl library list $ANNA --limit 3" "libctl access explain $ANNA $GAME"

say "She has played and saved. Her save has two versions; either can be restored."
run "libctl playtime show $ANNA --limit 3" "libctl saves list $ANNA"
SAVE=$(json '["saves"][0]["head"]["savegame_id"]' saves list $ANNA)
run "libctl saves versions $ANNA $SAVE" "libctl saves restore $ANNA $SAVE --version 1"

say "Boris may play her games too once he accepts. Support sees his achievements in one of his own games, including hidden ones."
run "libctl family list $ANNA" "libctl achievements show $BORIS $BORIS_GAME"

say "Part of her playtime came from a wrong clock. The sessions stay; a correction fixes the total."
run "libctl playtime correct $ANNA $GAME --take 1h --apply --reason 'ticket 4710: wrong clock'"

say "She wants more storage. The dry run of a change prints the command that applies it; an applied change can be undone."
run "libctl quota set $ANNA 2GiB"
run "libctl quota set $ANNA 2GiB --apply --reason 'ticket 4711: modder'" "libctl quota show $ANNA"
ENTRY=$(json '["entries"][0]["audit_id"]' audit list --user $ANNA --command 'quota set')
run "libctl audit show $ENTRY" "libctl audit undo $ENTRY --apply --reason 'it was somebody else'"

say "Some commands need the role \`admin\`; the audit records refused attempts."
run "libctl library revoke $ANNA $GAME" "libctl audit list --user $ANNA --limit 5"

say "Errors say what to try next; scripts get an exit code and JSON."
run "libctl quota set $ANNA 2GiB --apply; echo exit code \$?" "libctl --json quota show nobody; echo exit code \$?" \
  "libctl --json quota show $ANNA"

say "A payment could not be applied, so order 17 is missing. The dead letter has the record and the reason."
until [ "$(json '["total"]' events dlq list)" != 0 ]; do sleep 0.2; done
run "libctl events dlq list" "libctl events outbox"

LIBCTL_TOKEN=$(token $ADMIN admin)
export LIBCTL_TOKEN
say "An admin replays it. It is still malformed and comes back as a new dead letter, which the replay doesn't send."
run "libctl events dlq replay --user $ANNA" "libctl events dlq replay --user $ANNA --apply --reason 'INC-17 is fixed'"
until [ "$(json '["total"]' events dlq list --user $ANNA)" != 0 ]; do sleep 0.2; done
run "libctl --json events dlq list --user $ANNA --all | wc -l"

say "Anna asks for all her data."
run "libctl user export $ANNA --to anna.zip" "python -m zipfile -l anna.zip | tail -3" "libctl user export $ANNA --to anna.zip; echo exit code \$?"

say "After a restore of the database S3 may have saves that the database lacks. Nothing was restored here, so nothing is missing."
run "libctl saves reconcile" "libctl quota top --limit 2"

say "\`db\` shows the schemas of the database."
run "libctl db status"

say "Boris closes his account. This cannot be undone, so his id is required twice."
run "libctl user erase $BORIS" "libctl user erase $BORIS --apply --reason 'ticket 4712'; echo exit code \$?" \
  "libctl user erase $BORIS --apply --reason 'ticket 4712' --confirm $BORIS" "libctl user show $BORIS" "libctl user export $BORIS --to boris.zip"
