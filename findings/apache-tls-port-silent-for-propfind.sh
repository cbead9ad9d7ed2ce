#!/usr/bin/env bash
# Apache 2.4 (Debian 12) and nginx 1.22: http:// written in place of https://. At its TLS port Apache explains that to GET and PUT, and
# closes the connection without a byte for PROPFIND, DELETE and OPTIONS.
#
# Somebody forgets the s of https, and names the port of TLS. The first request of a WebDAV client is a PROPFIND or OPTIONS.
#
# Good sense says: the same page for each method, "speaking plain HTTP to an SSL-enabled server port", which everybody knows from a
# browser.
# Guess of its author, who knew the claim, noted before the first run as what an engineer expects: 400 for each method, by both.
#
# Seen:
#
#               GET, HEAD, POST, PUT    PROPFIND, DELETE, OPTIONS, MKCOL
#   Apache      400 with the page       closed without an answer
#   nginx       400 with the page       400 with the page
#
# For a client: a connection that closes without an answer at a port above 442 may be this. Say so in the error, before somebody
# looks for a broken server. Do not retry: each attempt ends alike.
#
# Source: ssl_io_filter.c compares the first bytes of a connection with a few methods, and takes anything else for broken TLS.
set -euo pipefail
for package in apache2 nginx-light openssl python3-minimal; do
  dpkg-query -W "$package" > /dev/null 2>&1 || apt-get install -y --no-install-recommends "$package"
done
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
cd "$work"
mkdir www tmp logs
chmod -R 777 .
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost > log 2>&1
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
apache=$(free)
nginx=$(free)
modules=/usr/lib/apache2/modules
cat > apache.conf <<CONF
ServerRoot $work
ServerName localhost
PidFile $work/apache.pid
Listen 127.0.0.1:$apache
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule ssl_module $modules/mod_ssl.so
User nobody
Group nogroup
ErrorLog $work/logs/apache
DocumentRoot $work/www
SSLEngine on
SSLCertificateFile $work/cert.pem
SSLCertificateKeyFile $work/key.pem
CONF
cat > nginx.conf <<CONF
daemon off;
pid $work/nginx.pid;
error_log $work/logs/nginx;
events {}
http {
  access_log off;
  client_body_temp_path $work/tmp/b; proxy_temp_path $work/tmp/p; fastcgi_temp_path $work/tmp/f;
  uwsgi_temp_path $work/tmp/u; scgi_temp_path $work/tmp/s;
  server {
    listen 127.0.0.1:$nginx ssl;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    root $work/www;
  }
}
CONF
apache2 -f "$work/apache.conf" -DFOREGROUND > logs/out 2>&1 &
nginx -c "$work/nginx.conf" > logs/out2 2>&1 &
for port in "$apache" "$nginx"; do
  for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.1; done
done
echo "$(dpkg-query -W apache2), $(dpkg-query -W nginx-light)"
python3 - "$apache" "$nginx" <<'PYTHON'
import socket, sys

def ask(port, method):
    s = socket.create_connection(('127.0.0.1', port), 10)
    s.sendall(f'{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'.encode())
    try:
        start = s.recv(4096)
    except ConnectionResetError:
        start = b''
    # HTTP/1.1 400, or <!DOCTYPE of a page without a head.
    return start.split(b' ')[1].decode() if start.startswith(b'HTTP/') else 'closed' if start == b'' else 'other bytes'

known, others = ['GET', 'HEAD', 'POST', 'PUT'], ['PROPFIND', 'DELETE', 'OPTIONS', 'MKCOL']
expected = {'Apache': (['400'] * 4, ['closed'] * 4), 'nginx': (['400'] * 4, ['400'] * 4)}
same = True
for (name, wanted), port in zip(expected.items(), map(int, sys.argv[1:])):
    seen = tuple([ask(port, method) for method in methods] for methods in (known, others))
    print(f'  {name:7} {", ".join(known)}: {" ".join(seen[0])}   {", ".join(others)}: {" ".join(seen[1])}')
    if seen != wanted:
        print(f'CHANGED, expected: {wanted}')
        same = False
sys.exit(0 if same else 1)
PYTHON
