# Runs as PID 1 of new mount, pid and network namespaces, with the right to mount (see isolation.py).
# Builds a file system out of an empty one, steps into it, then runs the command without any rights.
#   sandbox.sh ROOT SCRATCH_MB READABLE... :: COMMAND...
set -eu
umask 022
root=$1 scratch=$2
shift 2

# A line is source, target, type, options. One `mount` for many lines: starting it takes longer than its work.
line() { printf '%s\t%s\t%s\t%s\n' "$1" "$root$2" "$3" "$4"; }
mount_lines() { sed 's/\\/\\134/g; s/ /\\040/g' > "$root/mounts" && mount --all --fstab "$root/mounts"; }
tmpfs() { line sandbox "$2" tmpfs "nosuid,nodev,size=$1m,mode=1777"; }
device() { : > "$root$1" && line "$1" "$1" none bind; }
# nosuid and nodev are spelled out: the kernel refuses an unprivileged user a remount that would lift them.
bind() { line "$1" "$1" none bind,ro,nosuid,nodev; }
show() {
  if [ -L "$1" ]; then
    cp -P "$1" "$root$1"
  elif [ -d "$1" ]; then
    mkdir -p "$root$1" && bind "$1"
  elif [ -e "$1" ]; then
    mkdir -p "$root${1%/*}" && : > "$root$1" && bind "$1"
  fi
}

mount -t tmpfs -o nosuid,nodev,size=8m,mode=755 sandbox "$root"
mkdir -p "$root/dev/shm" "$root/proc" "$root/tmp"
ln -s /proc/self/fd "$root/dev/fd"
{
  for name in null zero full random urandom; do device "/dev/$name"; done
  tmpfs 64 /dev/shm
  tmpfs "$scratch" /tmp
  line proc /proc proc nosuid,nodev,noexec
} | mount_lines

# After /tmp: a readable path may lie there.
for path in /usr /bin /sbin /lib /lib32 /lib64 /etc/ld.so.cache /etc/alternatives "$@"; do
  [ "$path" != :: ] || break
  show "$path"
done | mount_lines
while [ "$1" != :: ]; do shift; done
shift
rm "$root/mounts"
mount -o remount,bind,ro,nosuid,nodev "$root"

cd "$root"
pivot_root . .
umount -l .
cd /tmp

# Not exec: this shell stays PID 1, so that the command can neither keep the namespaces alive nor escape their end.
"$@" || exit $?
exit 0
