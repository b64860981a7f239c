#!/bin/sh
# Installs the programs that tests run against, where that is possible; names what is missing.
# `tests/peers.sh VENV` also puts the npm libraries that read our feeds into VENV/readers.
set -eu

# program to look for : Debian package : what is skipped without it
peers="
/usr/sbin/smtp-sink:postfix:delivery into Postfix's smtp-sink
/usr/bin/newsboat:newsboat:our feeds read by newsboat
/usr/sbin/nginx:nginx-light:the settings for nginx in docs/serving.md
/usr/lib/nginx/modules/ngx_http_brotli_static_module.so:libnginx-mod-http-brotli-static:files in Brotli served by nginx
/usr/bin/caddy:caddy:the settings for Caddy in docs/serving.md
/usr/bin/sfeed_update:sfeed:our feeds read by sfeed
/usr/bin/curl:curl:our feeds read by sfeed
/usr/bin/r2e:rss2email:our feeds read by rss2email
/usr/bin/node:nodejs:our feeds read by feedsmith and rss-parser
/usr/bin/npm:npm:our feeds read by feedsmith and rss-parser
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

install() { apt-get -q -y --no-install-recommends install "$@"; }

if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # Installed programs must not start services: tests start what they need, on loopback.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod +x "$policy"; made=1; }
    # One package that cannot be had must not cost the others.
    # shellcheck disable=SC2086
    { apt-get -q update && install $missing; } >/tmp/postroom-peers.log 2>&1 \
        || for package in $missing; do install "$package" >>/tmp/postroom-peers.log 2>&1 || true; done
    [ -z "${made-}" ] || rm -f "$policy"
fi

IFS='
'
for peer in $peers; do
    [ -e "${peer%%:*}" ] || { rest=${peer#*:}; echo "not installed: ${rest%%:*}; skipped: ${rest#*:}"; }
done
IFS=$old_ifs

# The lock file holds versions and checksums, no address; scripts of packages are not run.
lock=tests/readers/package-lock.json
if [ -n "${1-}" ] && command -v npm >/dev/null && ! cmp -s $lock "$1/readers/.installed"; then
    mkdir -p "$1/readers"
    cp tests/readers/package.json $lock "$1/readers/"
    if (cd "$1/readers" && npm ci --ignore-scripts --no-audit --no-fund) >/tmp/postroom-npm.log 2>&1; then
        cp $lock "$1/readers/.installed"
    else
        tail -n 5 /tmp/postroom-npm.log
        echo "not installed: feedsmith, rss-parser; skipped: our feeds read by them"
    fi
fi
