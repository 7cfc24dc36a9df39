# Installs packages of Debian's and lets none of them start a service: with systemd they ask
# policy-rc.d (an administrator's own stays in force), otherwise they see a runlevel without services.
set -e
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
apt-get -q update
apt-get -q install -y --no-install-recommends "$@"
