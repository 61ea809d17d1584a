#!/bin/bash
# Start a systemd of its own, in namespaces of its own, on a copy of this machine's root that is thrown away afterwards.
# Only the units of the test are known to it. Arguments: a folder to work in, the checkout, Python's folder and its
# program below that, the folder of the libraries, two free ports.
set -e
folder=$1 checkout=$2 python=$3 program=$4 libraries=$5 port=$6 health=$7
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder/mnt"
root=$folder/mnt/root
mkdir -p "$folder"/mnt/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/mnt/upper,workdir=$folder/mnt/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs -o ro sysfs "$root/sys"
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    mkdir "$root"/sys/fs/cgroup/{systemd,unified}
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified" || true
fi
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root"/opt/{checkout,python,libraries} "$root"/run/{out,units} "$root/etc/systemd"
mount --bind "$folder/out" "$root/run/out"
mount --bind "$checkout" "$root/opt/checkout"
mount --bind "$python" "$root/opt/python"
mount --bind "$libraries" "$root/opt/libraries"

units=$root/run/units
for name in sysinit basic network network-online multi-user shutdown exit local-fs remote-fs sockets umount final emergency; do
    printf '[Unit]\nDefaultDependencies=no\n' > "$units/$name.target"
done
cp /lib/systemd/system/systemd-journald{.service,.socket,-dev-log.socket} "$units"
cp "$checkout"/tests/e2e/systemd/*.{service,target} "$units"
mkdir "$units"/dropglow{.service,-http.socket}.d
printf '[Socket]\nListenStream=\nListenStream=127.0.0.1:%s\n' "$health" > "$units/dropglow-http.socket.d/port.conf"
printf '[Service]\nWatchdogSec=6\nRestartSec=1\n' > "$units/dropglow.service.d/hurry.conf"
printf '[Journal]\nReadKMsg=no\nStorage=volatile\n' > "$root/etc/systemd/journald.conf"
cat > "$root/usr/local/bin/dropglow" <<PROGRAM
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=/opt/checkout/daemon:/opt/libraries exec /opt/python/$program -P -m dropglow "\$@"
PROGRAM
chmod 755 "$root/usr/local/bin/dropglow"

rm -rf "$root/etc/dropglow" "$root/srv/dropglow" "$root/var/lib/dropglow"
rm -f "$root"/etc/systemd/system/dropglow* "$root/etc/sysusers.d/dropglow.conf"
chroot "$root" dropglow install --http --yes > "$folder/out/installed"
rm "$root/etc/dropglow/rules/first.yaml"
(umask 077; echo me > "$root/etc/dropglow/credentials/firefly_client_id"
    echo canary-secret > "$root/etc/dropglow/credentials/firefly_client_secret")
printf 'PORT=%s\nHEALTH=%s\n' "$port" "$health" > "$root/etc/dropglow/port"
cat > "$root/etc/dropglow/dropglow.yaml" <<CONFIGURATION
state: /var/lib/dropglow
api: {base_url: "http://127.0.0.1:$port", token_url: "http://127.0.0.1:$port/ims/token/v3"}
limits: {poll: {min: 500ms, max: 1s}}
CONFIGURATION
cat > "$root/etc/dropglow/rules/prompts.yaml" <<RULE
rules:
  - name: prompts
    inbox: /srv/dropglow/inbox
    outbox: /srv/dropglow/outbox
    match: {kind: prompt}
    generate: {size: 1024x1024}
RULE

cd "$root"
mkdir -p run/old
pivot_root . run/old
cd /
umount -l /run/old
mount --make-rshared / # as systemd does at a boot, but not in a container: credentials are mounted for each service
touch /run/out/booted
exec env -i container=unshare SYSTEMD_UNIT_PATH=/run/units:/etc/systemd/system PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=story.target --show-status=0 --log-target=journal
