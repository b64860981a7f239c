#!/bin/sh
# Installs the programs that tests run against, where that is possible; names what is missing.
set -eu

# program to look for : Debian package : what is skipped without it
peers="
/usr/sbin/smtp-sink:postfix:delivery into Postfix's smtp-sink
/usr/bin/newsboat:newsboat:our feeds read by newsboat
/usr/bin/chromium:chromium:pages and letters measured in a browser
/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:fonts-noto-cjk:Korean text measured in a browser
/usr/bin/strace:strace:faults and kills at system calls
/usr/sbin/opendkim-testmsg:opendkim-tools:DKIM signatures judged by OpenDKIM
/usr/sbin/ip:iproute2:the name server that OpenDKIM asks
/usr/share/perl5/Mail/DKIM/Verifier.pm:libmail-dkim-perl:DKIM signatures judged by Mail::DKIM
/usr/bin/faketime:faketime:steps of the clock
"

missing=""
old_ifs=$IFS
IFS='
'
for peer in $peers; do
    [ -e "${peer%%:*}" ] || { rest=${peer#*:}; missing="$missing ${rest%%:*}"; }
done
IFS=$old_ifs
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # Installed programs must not start services: tests start what they need, on loopback.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod +x "$policy"; made=1; }
    # shellcheck disable=SC2086
    { apt-get -q update && apt-get -q -y --no-install-recommends install $missing; } >/tmp/postroom-peers.log 2>&1 \
        || tail -n 5 /tmp/postroom-peers.log
    [ -z "${made-}" ] || rm -f "$policy"
fi

IFS='
'
for peer in $peers; do
    [ -e "${peer%%:*}" ] || { rest=${peer#*:}; echo "not installed: ${rest%%:*}; skipped: ${rest#*:}"; }
done
