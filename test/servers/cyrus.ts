/**
 * Cyrus 3.6, the mail server, with its calendars, address books and files of one user. It keeps them in mailboxes, so the
 * first start makes the user's mailbox by IMAP.
 */
import {userInfo} from 'node:os'
import {serverAccount} from './support/account.ts'
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const ACCOUNT = {user: 'alice', password: 'secret'}
const MASTER = '/usr/lib/cyrus/bin/master'

function imapd({folder}: Site, mechanisms = 'PLAIN'): string {
  // Cyrus runs as this user and as no other.
  const user = serverAccount() === undefined ? userInfo().username : 'nobody'
  return `
cyrus_user: ${user}
cyrus_group: nogroup
configdirectory: ${folder}/conf
proc_path: ${folder}/proc
mboxname_lockpath: ${folder}/lock
defaultpartition: default
partition-default: ${folder}/spool
altnamespace: no
unixhierarchysep: no
allowplaintext: yes
admins: cyrus
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: ${folder}/sasldb2
sasl_mech_list: ${mechanisms}
httpmodules: caldav carddav webdav
servername: 127.0.0.1
autocreate_quota: 0
autocreate_post: yes
lmtpsocket: ${folder}/socket/lmtp
idlesocket: ${folder}/socket/idle
notifysocket: ${folder}/socket/notify
sievedir: ${folder}/sieve
virtdomains: off
hashimapspool: true
`
}

function services({folder, port}: Site): string {
  return `
START {
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -C ${folder}/imapd.conf -r"
}
SERVICES {
  imap cmd="imapd -C ${folder}/imapd.conf" listen="${folder}/socket/imap" prefork=1
  http cmd="httpd -C ${folder}/imapd.conf" listen="127.0.0.1:${port}" prefork=4 proto="tcp4"
}
`
}

function start({folder}: Site): string {
  return `
mkdir -p '${folder}'/{conf,spool,lock,proc,socket,user,sieve}
for user in alice cyrus; do
  for realm in 127.0.0.1 "$(hostname)"; do
    printf ${ACCOUNT.password} | saslpasswd2 -p -c -f '${folder}/sasldb2' -u "$realm" "$user" || exit
  done
done
python3 '${folder}/mailbox.py' &
# With "set -m", the master leads a process group of its children.
set -m
${MASTER} -C '${folder}/imapd.conf' -M '${folder}/cyrus.conf' -p '${folder}/master.pid' -D &
master=$!
# Told to end while a request runs, the master may run in a loop for ever after its children have ended.
stop() {
  kill "$master"
  for _ in {1..30}; do
    kill -0 "$master" || exit
    sleep 0.1
  done
  kill -KILL -- "-$master"
  exit
}
trap stop TERM
wait "$master"
`
}

/** Logs in by IMAP until the mailbox of the user is there. */
function mailbox({folder}: Site): string {
  return `
import os, socket, time
commands = b'a login cyrus ${ACCOUNT.password}\\r\\nb create user.alice\\r\\nc setacl user.alice alice lrswipkxtecdan\\r\\nd logout\\r\\n'
while os.getppid() > 1:
    try:
        s = socket.socket(socket.AF_UNIX)
        s.connect('${folder}/socket/imap')
        s.sendall(commands)
        said = b''
        while True:
            part = s.recv(4096)
            if not part: break
            said += part
        print(said.decode(), flush=True)
        if b'c OK' in said: break
    except OSError:
        pass
    time.sleep(0.1)
`
}

const PARTLY =
  'Cyrus answers 500 to a DELETE or MOVE of a collection with a collection in it, and does it in part'

// It obeys the limit of a report.
const PAGES = {
  'changes behind an unknown token': 2,
  'no change behind an unknown token': 2,
  'five members in pages of two': 3,
  'three changes in pages of two': 2,
  // A list of changes without a removal may be a list of all members, so the client asks for one.
  'a change after a restart of the server': 2,
} as const

export const cyrus: ServerRecipe = {
  name: 'Cyrus 3.6',
  packages: 'cyrus-caldav cyrus-imapd sasl2-bin libsasl2-modules python3',
  program: 'bash',
  modules: [MASTER, '/usr/lib/cyrus/bin/httpd', '/usr/sbin/saslpasswd2', '/usr/bin/python3'],
  traits: {
    ...listsEverything,
    infinity: 'answered',
    hrefs: 'path',
    etag: undefined,
    unknownProperties: 'named',
    basicAuth: false,
  },
  groupware: {
    home: '/dav/calendars/user/alice/',
    stores: 'calendars',
    account: ACCOUNT,
  },
  syncs: {heading: 'Cyrus', cells: PAGES},
  files: (site) => ({
    'imapd.conf': imapd(site),
    'cyrus.conf': services(site),
    'mailbox.py': mailbox(site),
    'start.sh': start(site),
  }),
  args: ({folder}) => [`${folder}/start.sh`],
}

/** The same with the user's files. */
export const cyrusFiles: ServerRecipe = {
  ...cyrus,
  name: 'Cyrus 3.6 with files',
  groupware: {home: '/dav/drive/user/alice/', stores: 'files', account: ACCOUNT},
  locks: {
    heading: 'Cyrus',
    cells: {
      'LOCK of a collection': 500,
      'LOCK of a collection with a locked member': 500,
      'LOCK of a file, shared by two clients': 400,
      UNLOCK: 405,
      'PUT into a locked collection': 'no lock',
      'PUT into a collection locked with Depth 0': 'no lock',
      'PUT of a locked file in a locked collection': 'no lock',
      'MKCOL in a locked collection': 'no lock',
      'DELETE of a member of a locked collection': 'no lock',
      'DELETE of a member of a collection locked with Depth 0': 'no lock',
      'DELETE of a locked collection': 'no lock',
      'COPY into a locked collection': 'no lock',
      'MOVE into a locked collection': 'no lock',
      'MOVE out of a locked collection': 'no lock',
      'MOVE in a collection locked with Depth 0': 'no lock',
      'MOVE of a locked collection': 'no lock',
      'PROPPATCH of a locked file': 'open',
      'DELETE of a collection with a locked member': {
        seen: 'holder failure, changed, other failure, changed',
        fault: PARTLY,
      },
      'DELETE of a collection with two locked members': {
        seen: 'holder failure, changed, other failure, changed',
        fault: PARTLY,
      },
      'MOVE of a collection with a locked member': {
        seen: 'holder failure, changed, other failure, changed',
        fault: PARTLY,
      },
      'COPY onto a locked file': 'open',
      'MOVE onto a locked file': 'open',
      'PUT over a file whose lock somebody else removed': 'not tested',
    },
  },
  syncs: {heading: 'Cyrus, files', cells: PAGES},
}

/** The same with Digest by MD5-sess. Each nonce counts for one request on the connection of its challenge. */
export const cyrusWithDigest: ServerRecipe = {
  ...cyrusFiles,
  name: 'Cyrus 3.6 with Digest',
  files: (site) => ({...cyrus.files(site), 'imapd.conf': imapd(site, 'DIGEST-MD5 PLAIN')}),
  digest: {
    accounts: [ACCOUNT],
    algorithms: ['md5-sess'],
    proves: true,
    unlock: 405,
    readsAnonymously: false,
  },
}
