# Sourced by the scripts that test on clean systems: folders with a base system each, made by debootstrap and entered by chroot.
# They set what the machine needs to reach the archives, and nothing else of it.
# ROOTS names the folder for them (build/roots); base systems that are there are used again.

roots=${ROOTS:-build/roots}
passed=0 failed=0
[ "$(id -u)" = 0 ] || { say "only root may change the root folder of a process"; exit 2; }
command -v debootstrap >/dev/null || { say "debootstrap is missing: apt-get install debootstrap"; exit 2; }
mkdir -p "$roots"

# base SUITE: a base system, made once.
base() {
  local root=$roots/base-$1
  [ ! -e "$root/.complete" ] || return 0
  say "making Debian $1"
  rm -rf "$root"
  debootstrap --variant=minbase "$1" "$root" >"$roots/log" 2>&1 || { tail -5 "$roots/log" >&2; exit 1; }
  touch "$root/.complete"
}

# fresh SUITE NAME: a copy of the base system; sets $root.
fresh() {
  base "$1"
  root=$roots/$2
  rm -rf "$root"
  cp -a "$roots/base-$1" "$root"
  for file in /etc/resolv.conf /etc/hosts; do
    [ ! -f "$file" ] || install -D -m 644 "$file" "$root$file"
  done
  # Certificates of this machine's own way to the archives, if it has one.
  [ -z "${PIP_CERT:-}" ] || install -m 644 "$PIP_CERT" "$root/root/certificates.pem"
}

# inside COMMAND: runs it in $root by a shell that knows nothing of this one. Programs find their own folder by /proc, which is
# mounted for the command alone.
inside() {
  local certificates=${PIP_CERT:+/root/certificates.pem}
  env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
    ${certificates:+PIP_CERT="$certificates" NODE_EXTRA_CA_CERTS="$certificates"} \
    unshare --mount sh -c 'mount -t proc proc "$1/proc" && exec chroot "$1" bash -euo pipefail -c "$2"' sh "$root" "$1" >"$roots/log" 2>&1
}

# check NAME COMMAND
check() {
  if inside "$2"; then
    say "ok: $1"
    passed=$((passed + 1))
  else
    say "FAILED: $1"
    tail -15 "$roots/log" >&2
    failed=$((failed + 1))
  fi
}

# prepare COMMAND: what a test needs; without it there is no test.
prepare() { inside "$1" || { tail -15 "$roots/log" >&2; say "cannot prepare $root"; exit 1; }; }

# finish: the last line, and the exit code.
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
