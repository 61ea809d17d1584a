#!/bin/bash
# Start the image's first command in a root like the image's: read-only but for the volumes, with the rights that the
# compose file leaves, and nothing of this machine's settings. Arguments: a folder with config, data and secrets, the
# checkout, Python's folder and its program below that, the folder of the libraries; then what is to be run in there.
set -e
folder=$1 checkout=$2 python=$3 program=$4 libraries=$5
shift 5
root=$folder/root
mount --make-rprivate /
mount -t tmpfs tmpfs "$root"
mkdir -p "$root"/{usr,etc,proc,dev,tmp,config,data,run/secrets} "$root"/opt/{checkout,python,libraries,dropglow/bin,container}
for name in lib lib64 bin; do
    if [ -L "/$name" ]; then cp -P "/$name" "$root/$name"; elif [ -d "/$name" ]; then mkdir "$root/$name" && mount --bind "/$name" "$root/$name"; fi
done
mount --bind /usr "$root/usr"
mount -t tmpfs tmpfs "$root/usr/local"
mkdir "$root/usr/local/bin"
mount --bind "$checkout" "$root/opt/checkout"
mount --bind "$python" "$root/opt/python"
mount --bind "$libraries" "$root/opt/libraries"
cat > "$root/usr/local/bin/python" <<PROGRAM
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib
exec /opt/python/$program "\$@"
PROGRAM
cat > "$root/opt/dropglow/bin/dropglow" <<PROGRAM
#!/bin/sh
PYTHONPATH=/opt/checkout/daemon:/opt/libraries exec /usr/local/bin/python -P -m dropglow "\$@"
PROGRAM
cp "$checkout/daemon/container/entry.py" "$root/usr/local/bin/dropglow"
cp -r "$checkout/daemon/container/first" "$root/opt/container/first"
chmod 755 "$root"/usr/local/bin/* "$root/opt/dropglow/bin/dropglow"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
chmod 1777 "$root/tmp"
for name in config data; do mount --bind "$folder/$name" "$root/$name"; done
mount --bind "$folder/secrets" "$root/run/secrets"
for name in usr usr/local opt/checkout opt/python opt/libraries run/secrets; do mount -o remount,ro,bind "$root/$name"; done
mount -o remount,ro "$root"
exec env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin PYTHONDONTWRITEBYTECODE=1 PUID=1234 PGID=2345 UMASK=027 TZ=Etc/UTC \
    FILE__FIREFLY_SERVICES_CLIENT_ID=/run/secrets/firefly_client_id \
    FILE__FIREFLY_SERVICES_CLIENT_SECRET=/run/secrets/firefly_client_secret \
    chroot "$root" setpriv --bounding-set=-all,+chown,+setuid,+setgid --inh-caps=-all --no-new-privs "$@"
