/**
 * Process 1 of a node, a shell so that orphans are reaped. It gives the node a root of its own, of which only the
 * machine's programs are shared (read-only), and ends with the pipe that the supervisor holds.
 */
export const nodeInit = String.raw`
set -eu
read -r pid _ </proc/self/stat
echo "pid $pid"
mount --make-rprivate /
mount --bind "$LAB_ROOT" "$LAB_ROOT"
cd "$LAB_ROOT"

share() { # SOURCE TARGET: visible here, read-only
  if [ -d "$1" ]; then mkdir -p "$2"; else [ -e "$2" ] || : >"$2"; fi
  mount --rbind "$1" "$2"
  mount -o remount,bind,ro "$2"
}

for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then
    [ -L $name ] || ln -s "$(readlink "/$name")" $name
  elif [ -d "/$name" ]; then
    share "/$name" $name
  fi
done
share /usr usr
mount --bind "$LAB_LOCAL_BIN" usr/local/bin
for program in $LAB_HIDDEN; do
  [ -e "usr/$program" ] && mount --bind /dev/null "usr/$program"
done
for program in "$LAB_LOCAL_BIN"/*; do
  own=usr/bin/$(basename "$program")
  [ -e "$own" ] && mount --bind "$program" "$own"
done

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys 2>/dev/null || true
mount -t tmpfs -o mode=755,size=1m tmpfs dev
for name in null zero full random urandom tty; do
  : >dev/$name
  mount --bind /dev/$name dev/$name
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/sshd run/lab/images
share "$LAB_NODE" run/lab/node
share "$LAB_CHECKOUT" run/lab/checkout
share "$LAB_IMAGES" run/lab/images
if [ -n "$LAB_ETCD_DISK" ]; then
  mount -t tmpfs -o "mode=700,$LAB_ETCD_DISK" tmpfs var/lib/etcd
fi

mkdir old
pivot_root . old
cd /
umount -l /old
rmdir /old
hostname "$LAB_NAME"
ip link set lo up
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
echo mounted
# The supervisor says go when the network is there and the data is in place.
read -r _
env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 $LAB_AGENT_ENVIRONMENT \
  /run/lab/node /run/lab/checkout/packages/lab/dist/agent.cjs </dev/null >/var/log/agent.log 2>&1 &
echo ready
while read -r _; do :; done
exit 0
`;
