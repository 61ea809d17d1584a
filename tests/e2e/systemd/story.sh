# What happens to the service, step by step; after each the state of its unit is written to a file of that name.
set -u
out=/run/out rules=/etc/dropglow/rules
note() { systemctl show dropglow -p ActiveState -p MainPID -p NRestarts -p StatusText -p Result > "$out/$1"; }
pid() { systemctl show dropglow -p MainPID --value; }
until_true() { for _ in $(seq 200); do "$@" > /dev/null 2>&1 && return; sleep 0.1; done; echo "never: $*"; }
told() { journalctl -q -o cat "DROPGLOW_EVENT=$1" | grep -q .; }
shows() { systemctl show dropglow -p StatusText --value | grep -q "$1"; }
restarted() { [ "$(systemctl show dropglow -p NRestarts --value)" = "$1" ] && systemctl -q is-active dropglow; }

asked() {
    . /etc/dropglow/port
    exec 3<> "/dev/tcp/127.0.0.1/$HEALTH"
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n' "$1" "$HEALTH" >&3
    timeout 5 cat <&3
}

touch $out/started
until_true bash -c ". /etc/dropglow/port; exec 3<>/dev/tcp/127.0.0.1/\$PORT"
if ! dropglow install --http --yes > $out/started-by; then
    cat $out/started-by
    journalctl -q -u dropglow -u dropglow-http.socket | tail -50
    touch $out/finished
    exit 1
fi
note ready
asked /ready > $out/health
grep -E "^(Uid|CapEff|NoNewPrivs|Seccomp):" "/proc/$(pid)/status" > $out/rights

echo "a fox in the snow" > /srv/dropglow/inbox/fox.txt
chown dropglow: /srv/dropglow/inbox/fox.txt
until_true told job.submitted
kill -9 "$(pid)"
until_true restarted 1
until_true told drop.done
note resumed
ls /srv/dropglow/outbox > $out/results

cp $rules/prompts.yaml /run/sound
sed -i 's/match/mtach/' $rules/prompts.yaml
systemctl reload dropglow
until_true shows "old one is in force"
note broken
cp /run/sound $rules/prompts.yaml
sed 's/prompts/posters/; s#/inbox#/posters#' /run/sound > $rules/posters.yaml
systemctl reload dropglow
until_true shows "^2 inboxes"
note mended

kill -STOP "$(pid)"
until_true restarted 2
note watched

systemctl stop dropglow
note stopped
systemctl is-active dropglow-http.socket > $out/socket
systemctl -q is-enabled dropglow && echo enabled >> $out/socket
dropglow uninstall --yes > $out/uninstalled
ls -d /etc/systemd/system/dropglow* /etc/systemd/system/*.wants/dropglow* /etc/sysusers.d/dropglow* \
    /etc/dropglow/* /srv/dropglow/* /var/lib/dropglow > $out/left 2> /dev/null
job=$(journalctl -q -o export DROPGLOW_EVENT=job.submitted | sed -n 's/^JOB_ID=//p')
journalctl -q -o export "JOB_ID=$job" | sed -n 's/^DROPGLOW_EVENT=//p' > $out/story
journalctl -q -o export -u dropglow > $out/journal
touch $out/finished
