# In the root of an image: the service starts, is well, brings a picture, and is asked by a person; then it stops.
# Root has no right to others' files and processes here; an engine has, from outside.
as_user='setpriv --reuid=1234 --regid=2345 --clear-groups'
touch /opt/x 2>/dev/null && echo "the root can be written" || echo "the root is read-only"
dropglow run --sandbox 2>/tmp/log &
service=$!
for turn in $(seq 300); do
    if dropglow health; then echo "well"; break; fi
    if [ ! -d /proc/$service ]; then break; fi
    sleep 0.1
done
for turn in $(seq 300); do
    if $as_user sh -c 'ls /data/outbox/prompts/*.jpg' >/dev/null 2>&1 || [ ! -d /proc/$service ]; then break; fi
    sleep 0.1
done
dropglow status | head -1
$as_user kill -TERM $service
wait $service
echo "ended with $?"
dropglow health && echo "well after the stop" || echo "not well after the stop"
cat /tmp/log >&2
