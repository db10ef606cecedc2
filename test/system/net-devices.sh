# Network devices that move into a container, all in network namespaces of the test: see net-devices.test.ts. $1: directory with a
# bundle; $2: berth-oci. Says what the container sees of them, a line each.
ip link add first type veth peer name other
ip link set first mtu 1400
ip link set other up
ip address add 10.9.0.1/24 dev first
ip address add 10.9.0.7/32 peer 10.9.0.8 dev first
ip address add fd00:9::1/64 dev first nodad
ip address add 169.254.9.9/16 scope link dev first
ip link set first up
ip link add second type veth peer name another
# A namespace to join, where the first indexes are taken.
unshare -n sh -c 'ip link add one type veth peer name two; exec sleep 60' > /dev/null 2>&1 &
sleep 0.3
ln -s "/proc/$!/ns/net" "$1/namespace"
"$2" --root "$1/state" run --bundle "$1" "berth-net-$$" < /dev/null 2>&1
echo "code $?"
ip -br link | cut -d' ' -f1 | xargs echo outside
kill $!
