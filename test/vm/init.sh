#!/bin/busybox sh
# The first process of the virtual machine: prepares it as a machine with unified cgroup v2, runs /etc/vm-command, and switches the machine off. Serial ports: 0 console, 1 standard output, 2 standard error, 3 'booted' and the exit code.
export PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root TERM=dumb

finish() {
  sync
  echo "$1" >/dev/ttyS3
  # The port is drained before the power is cut.
  sleep 0.2
  poweroff -f
}

# pivot_root(2) refuses the kernel's first root; a mount of it on top of it is one like any other.
if [ "$1" != again ]; then
  mount --bind / /mnt
  cd /mnt || exit 1
  mount --move . /
  exec chroot . /init again
fi

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs -o mode=0755 devtmpfs /dev
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o mode=0620,ptmxmode=0666 devpts /dev/pts
ln -sf pts/ptmx /dev/ptmx
ln -sf /proc/self/fd /dev/fd
mount -t tmpfs tmpfs /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=0755 tmpfs /var/lib
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
for port in 1 2 3; do stty -F "/dev/ttyS$port" raw -echo; done
echo booted >/dev/ttyS3

while read -r module; do insmod "$module" || echo "init: cannot load $module"; done </lib/modules/modules.list
ip link set lo up
hostname vm

# As systemd has it: processes are in leaves only, and every controller is there below the root.
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
  echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done
mkdir -p /sys/fs/cgroup/session.scope
echo $$ >/sys/fs/cgroup/session.scope/cgroup.procs

cd /berth || finish 1
export PATH=/berth/node_modules/.bin:$PATH CI=1
setsid sh /etc/vm-command </dev/null >/dev/ttyS1 2>/dev/ttyS2
finish $?
