#!/usr/bin/env bash
# HTTP::DAV 0.49 (Debian libhttp-dav-perl 0.49-3): a URL from its own listing is taken for a pattern, although the name is percent-encoded.
# `get` reads another file, and `delete` deletes another one. Both say that all went well.
#
# Apache's mod_dav serves a folder with `report[1].txt`, `why?.txt` and `draft*.txt`, and files with names
# that are like those. A program lists the folder with HTTP::DAV, and calls `get` and `delete` with the URI that a listed resource has.
#
# Good sense says: the documents allow the patterns *, ? and [...] in a URL, and `%5B1%5D` has none of them: that is how a name is
# written that means itself (RFC 3986, section 2.2). The URI of one resource names this one.
# Guess of its author, written down before the first run: `report[1].txt`, written plainly or percent-encoded, is that file alone.
#
# Seen, by the URI as listed:
#
#                               get has            delete is true, and gone is
#   report%5b1%5d.txt           report1.txt        report1.txt
#   why%3f.txt                  whys.txt           whys.txt
#   draft*.txt                                     draft*.txt, draft.txt, draft-final.txt
#   plain.txt                   plain.txt          plain.txt
#
# `report[1].txt` and `why?.txt` are still there. The methods of the listed resource, `$resource->get` and `$resource->delete`, reach
# them.
#
# For a client: a program that fetches and then deletes loses a file that nobody named, and has its content under another name. Call the
# methods of the resource, and give HTTP::DAV no URL whose last segment has [, ? or *, encoded or not.
#
# Source: get_globs of HTTP/DAV.pm calls uri_unescape on the last segment first, and looks for *, ? and [ then. It compares the result
# with the segments of the listing as they are encoded.
set -euo pipefail
APACHE=2.4.71-1~deb12u1
HTTPDAV=0.49-3
export LC_ALL=C

command -v curl >/dev/null && command -v python3 >/dev/null || apt-get install -y --no-install-recommends curl python3-minimal
[ "$(dpkg-query -W -f '${Version} ' apache2-bin libhttp-dav-perl 2>/dev/null || true)" = "$APACHE $HTTPDAV " ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE" "libhttp-dav-perl=$HTTPDAV"
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server" || true; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
mkdir -p root/folder state
for name in 'report[1]' report1 'why?' whys 'draft*' draft draft-final plain; do printf '%s.txt' "$name" > "root/folder/$name.txt"; done
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
modules=/usr/lib/apache2/modules
cat > apache.conf <<CONF
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
PidFile $work/state/pid
ErrorLog $work/state/log
Mutex pthread
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule dav_module $modules/mod_dav.so
LoadModule dav_fs_module $modules/mod_dav_fs.so
DocumentRoot $work/root
DavLockDB $work/state/locks
<Directory $work/root>
  Dav On
  Require all granted
</Directory>
CONF
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
server=$!
url=http://127.0.0.1:$port/folder
for _ in $(seq 100); do curl -s -o /dev/null "$url/" && break; sleep 0.1; done
# Arguments: verb, URL of the folder, name. Finds the URI of the name in a listing, and hands it to HTTP::DAV.
cat > main.pl <<'PERL'
use strict;
use warnings;
use HTTP::DAV;
use URI::Escape;
my ($verb, $folder, $name) = @ARGV;
my $dav = HTTP::DAV->new();
$dav->open(-url => "$folder/") or die $dav->message;
my $listing = $dav->propfind(-url => "$folder/", -depth => 1) or die $dav->message;
my ($found) = grep { uri_unescape($_->get_uri) eq "$folder/$name" } $listing->get_resourcelist->get_resources;
die "$name is not listed" unless $found;
my $content = '';
my $done;
if ($verb eq 'get') { $done = $dav->get(-url => $found->get_uri, -to => \$content) }
elsif ($verb eq 'delete') { $done = $dav->delete(-url => $found->get_uri) }
elsif ($verb eq 'resource-get') { $done = $found->get->is_success; $content = $found->get_content }
else { $done = $found->delete->is_success }
print $done ? 'true' : 'false', " $content";
PERL
check() {
  printf '  %-22s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
names() { find root/folder -name '*.txt' -printf '%f\n' | sort; }
# Deletes a file by its listed URI, and prints the answer and what is gone.
delete() {
  names > before
  perl main.pl delete "$url" "$1"
  names > after
  comm -23 before after | paste -sd ' '
}
check 'get report[1].txt' "$(perl main.pl get "$url" 'report[1].txt')" 'true report1.txt'
check 'get why?.txt' "$(perl main.pl get "$url" 'why?.txt')" 'true whys.txt'
check 'get plain.txt' "$(perl main.pl get "$url" plain.txt)" 'true plain.txt'
check 'delete report[1].txt' "$(delete 'report[1].txt')" 'true report1.txt'
check 'delete why?.txt' "$(delete 'why?.txt')" 'true whys.txt'
check 'delete draft*.txt' "$(delete 'draft*.txt')" 'true draft*.txt draft-final.txt draft.txt'
check 'delete plain.txt' "$(delete plain.txt)" 'true plain.txt'
check 'left' "$(names | paste -sd ' ')" 'report[1].txt why?.txt'
check 'get of the resource' "$(perl main.pl resource-get "$url" 'report[1].txt')" 'true report[1].txt'
check 'delete of the resource' "$(perl main.pl resource-delete "$url" 'report[1].txt') $(names | paste -sd ' ')" 'true  why?.txt'
