#!/bin/sh
# One photo in three sizes, in the calls of Adobe's guide: token, upload, three orders at once, status of each, downloads.
#
# Wants what generate.sh wants, and source.jpg where it is run; writes source_2500x2500.jpg and two more beside it.
# The guide's script sends width and height as text; Adobe's OpenAPI document asks for numbers, and they are sent here.
set -eu

# Print the first value of a key in the JSON that is read.
value() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

TOKEN=$(curl -sS --fail-with-body -X POST "$TOKEN_URL" \
  -H 'Content-Type: application/x-www-form-urlencoded' \
  -d grant_type=client_credentials \
  -d "client_id=$FIREFLY_SERVICES_CLIENT_ID" \
  -d "client_secret=$FIREFLY_SERVICES_CLIENT_SECRET" \
  -d scope=openid,AdobeID,read_organizations,firefly_enterprise,firefly_api,ff_apis | value access_token)

UPLOAD=$(curl -sS --fail-with-body -X POST "$BASE/v2/storage/image" \
  -H "Authorization: Bearer $TOKEN" \
  -H "X-Api-Key: $FIREFLY_SERVICES_CLIENT_ID" \
  -H 'Content-Type: image/jpeg' \
  --data-binary @source.jpg | value id)

expand() {
  curl -sS --fail-with-body -X POST "$BASE/v3/images/expand-async" \
    -H "Authorization: Bearer $TOKEN" \
    -H "X-Api-Key: $FIREFLY_SERVICES_CLIENT_ID" \
    -H 'Content-Type: application/json' \
    -H 'Accept: application/json' \
    -d "{\"image\": {\"source\": {\"uploadId\": \"$UPLOAD\"}}, \"size\": {\"width\": ${1%x*}, \"height\": ${1#*x}}}" \
    -o "job_$1.json"
}

poll() {
  STATUS=
  while [ "$STATUS" != succeeded ]; do
    curl -sS --fail-with-body "$(value statusUrl <"job_$1.json")" \
      -H "Authorization: Bearer $TOKEN" \
      -H "X-Api-Key: $FIREFLY_SERVICES_CLIENT_ID" \
      -o "answer_$1.json"
    STATUS=$(value status <"answer_$1.json")
    case "$STATUS" in
      pending | running) sleep 1 ;;
      succeeded) ;;
      *) cat "answer_$1.json" >&2; return 1 ;;
    esac
  done
}

SIZES='2500x2500 3000x3000 3500x3500'

WAITING=
for SIZE in $SIZES; do
  expand "$SIZE" &
  WAITING="$WAITING $!"
done
for PROCESS in $WAITING; do wait "$PROCESS"; done

WAITING=
for SIZE in $SIZES; do
  poll "$SIZE" &
  WAITING="$WAITING $!"
done
for PROCESS in $WAITING; do wait "$PROCESS"; done

for SIZE in $SIZES; do
  curl -sS --fail -o "source_$SIZE.jpg" "$(value url <"answer_$SIZE.json")"
done
