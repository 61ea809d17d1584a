#!/bin/sh
# One picture from a prompt, in the calls of Adobe's guide to its asynchronous APIs: token, order, status, download.
#
# Wants TOKEN_URL, BASE, FIREFLY_SERVICES_CLIENT_ID and FIREFLY_SERVICES_CLIENT_SECRET; writes SEED.jpg where it is run.
set -eu

# Print the first value of a key in the JSON that is read.
value() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

TOKEN=$(curl -sS --fail-with-body -X POST "$TOKEN_URL" \
  -H 'Content-Type: application/x-www-form-urlencoded' \
  -d grant_type=client_credentials \
  -d "client_id=$FIREFLY_SERVICES_CLIENT_ID" \
  -d "client_secret=$FIREFLY_SERVICES_CLIENT_SECRET" \
  -d scope=openid,AdobeID,read_organizations,firefly_enterprise,firefly_api,ff_apis | value access_token)

JOB=$(curl -sS --fail-with-body -X POST "$BASE/v3/images/generate-async" \
  -H "Authorization: Bearer $TOKEN" \
  -H "X-Api-Key: $FIREFLY_SERVICES_CLIENT_ID" \
  -H 'Content-Type: application/json' \
  -H 'Accept: application/json' \
  -d '{"prompt": "a cat living their best life, sleeping in a sunbeam", "contentClass": "art"}')
STATUS_URL=$(printf '%s' "$JOB" | value statusUrl)

STATUS=
while [ "$STATUS" != succeeded ]; do
  ANSWER=$(curl -sS --fail-with-body "$STATUS_URL" \
    -H "Authorization: Bearer $TOKEN" \
    -H "X-Api-Key: $FIREFLY_SERVICES_CLIENT_ID")
  STATUS=$(printf '%s' "$ANSWER" | value status)
  case "$STATUS" in
    pending | running) sleep 1 ;;
    succeeded) ;;
    *) printf '%s\n' "$ANSWER" >&2; exit 1 ;;
  esac
done

# The address is signed: no token goes there.
curl -sS --fail -o "$(printf '%s' "$ANSWER" | value seed).jpg" "$(printf '%s' "$ANSWER" | value url)"
