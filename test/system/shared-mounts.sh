# A container without a mount namespace of its own, in a mount and a pid namespace where it can do no harm: see
# shared-mounts.test.ts. $1: directory with a bundle; $2: berth-oci. Says what it sees, a line each.
mount --make-rprivate /
mount -t tmpfs run /run
mkdir /run/bundle /run/state
cp "$1/config.json" /run/bundle
cp -a "$1/rootfs" /run/bundle/rootfs
mknod -m 666 /run/null c 1 3
mount --bind /run/null /dev/null
# For those that join one: where others are.
unshare -m --propagation private sleep 300 > /dev/null &
other=$!
sleep 0.3
ln -s "/proc/$other/ns/mnt" /run/namespace
oci() { "$berth" --root /run/state "$@" < /dev/null; }
berth=$2
# Those of the machine, and those of the other namespace.
mounted() {
  for pid in self $other; do grep -q ' /run/bundle/rootfs/proc ' /proc/$pid/mountinfo && echo yes || echo no; done | xargs
}
roots() { for path in / /proc/$other/root/; do stat -c %d:%i $path; done; }

before=$(roots)
oci run --bundle /run/bundle one 2>&1
echo "run $?, mounts $(mounted)"
sed -i 's/echo inside;/sleep 60;/' /run/bundle/config.json
oci create --bundle /run/bundle two > /run/output 2>&1
echo "create $?, mounts $(mounted)"
oci start two
oci exec two /bin/sh -c 'echo "exec $(ls /marker) $(cat /data/file) up $(ls /../../marker)"' 2>&1
oci exec two /bin/sh -c 'cat /proc/keys | wc -c; grep -o " /proc/sys ro" /proc/self/mountinfo' 2>&1
test "$before" = "$(roots)" && echo 'the roots of others are as before'
oci delete --force two
echo "delete $?, mounts $(mounted)"
cat /run/hooks
sed -i 's#"/bin/sh"#"/no/such/program"#' /run/bundle/config.json
oci run --bundle /run/bundle three > /dev/null 2>&1
echo "failed $?, mounts $(mounted)"
kill $other
