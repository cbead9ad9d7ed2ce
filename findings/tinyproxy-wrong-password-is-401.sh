#!/usr/bin/env bash
# tinyproxy 1.11.1 (Debian 12): a wrong password for the proxy is answered 401, with a challenge as of the server. Only a missing one is
# answered 407.
#
# A client sends Proxy-Authorization with a password that has changed, to an http: server and for a tunnel.
#
# Good sense says, with RFC 9110, section 15.5.8: 407 and Proxy-Authenticate. squid does that.
# Guess of its author, who knew the claim, noted before the first run as what an engineer expects: 407 in all four cases.
#
# Seen:
#
#                             no password                   wrong password
#   PROPFIND http://…         407 Proxy-Authenticate        401 WWW-Authenticate
#   CONNECT                   407 Proxy-Authenticate        401 WWW-Authenticate
#
# For a client: a 401 to a CONNECT is about the proxy. A 401 to a forwarded request looks like the server's own. A client that answers
# it with the credentials of the server sends those to nobody who asked, and the user looks for the fault at the wrong place. The
# realm names tinyproxy.
#
# Source: handle_connection in reqs.c sends "401 Unauthorized" for credentials that do not fit.
set -euo pipefail
for package in tinyproxy-bin python3-minimal; do
  dpkg-query -W "$package" > /dev/null 2>&1 || apt-get install -y --no-install-recommends "$package"
done
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
cd "$work"
chmod 755 .
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > tinyproxy.conf <<CONF
Port $port
Listen 127.0.0.1
Timeout 60
MaxClients 10
Allow 127.0.0.1
BasicAuth ana secret
CONF
tinyproxy -d -c tinyproxy.conf > log 2>&1 &
for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.1; done
dpkg-query -W tinyproxy-bin
python3 - "$port" <<'PYTHON'
import base64, socket, sys

def ask(line, password):
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
    auth = '' if password is None else f'Proxy-Authorization: Basic {base64.b64encode(f"ana:{password}".encode()).decode()}\r\n'
    s.sendall(f'{line} HTTP/1.1\r\nHost: dav.example\r\n{auth}Content-Length: 0\r\n\r\n'.encode())
    head = b''
    while b'\r\n\r\n' not in head:
        piece = s.recv(4096)
        if not piece:
            break
        head += piece
    lines = head.decode('latin1').split('\r\n')
    names = [one.split(':')[0] for one in lines if one.lower().split(':')[0] in ('proxy-authenticate', 'www-authenticate')]
    return f'{lines[0].split(" ")[1]} {" ".join(names)}'

same = True
for line in ('PROPFIND http://dav.example/', 'CONNECT dav.example:443'):
    seen = [ask(line, None), ask(line, 'changed')]
    print(f'  {line:30} {" | ".join(seen)}')
    if seen != ['407 Proxy-Authenticate', '401 WWW-Authenticate']:
        print('CHANGED, expected: 407 Proxy-Authenticate | 401 WWW-Authenticate')
        same = False
sys.exit(0 if same else 1)
PYTHON
