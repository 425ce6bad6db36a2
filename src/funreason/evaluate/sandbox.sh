# Runs as PID 1 of new mount, pid and network namespaces, with the right to mount (see sandbox.py).
# Builds a file system out of an empty one, steps into it, then runs the command without any rights.
#   sandbox.sh ROOT SCRATCH_MB READABLE... :: COMMAND...
set -eu
umask 022
root=$1 scratch=$2
shift 2

tmpfs() { mount -t tmpfs -o "nosuid,nodev,size=$1m,mode=$2" sandbox "$3"; }
# nosuid and nodev are spelled out: a remount that would lift them is refused to an unprivileged user.
bind() {
  mount --bind "$1" "$root$1"
  mount -o remount,bind,ro,nosuid,nodev "$root$1"
}
show() {
  if [ -L "$1" ]; then
    cp -P "$1" "$root$1"
  elif [ -d "$1" ]; then
    mkdir -p "$root$1" && bind "$1"
  elif [ -e "$1" ]; then
    mkdir -p "$root${1%/*}" && : > "$root$1" && bind "$1"
  fi
}

tmpfs 8 755 "$root"
mkdir "$root/dev" "$root/proc" "$root/tmp"
for device in null zero full random urandom; do
  : > "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" && tmpfs 64 1777 "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
tmpfs "$scratch" 1777 "$root/tmp"

for path in /usr /bin /sbin /lib /lib32 /lib64 /etc/ld.so.cache /etc/alternatives; do show "$path"; done
# After /tmp: what is to be seen may lie there.
while [ "$1" != :: ]; do
  show "$1"
  shift
done
shift
mount -o remount,bind,ro,nosuid,nodev "$root"

cd "$root"
pivot_root . .
umount -l .
cd /tmp

# Not exec: PID 1 stays ours, so that the command can neither keep the namespaces alive nor shake off their end.
"$@" || exit $?
exit 0
