/**
 * Tomcat 10.1 with its WebdavServlet in its default configuration. An answer to Depth infinity ends after three levels
 * without notice. It cuts a `;` and the rest off each segment of a request, so such a name is found by `%3B` only. Its
 * ETags are weak, a 207 to a DELETE has no Content-Type, and no status line has a reason.
 */
import {digestAccounts} from './support/digest.ts'
import {listsEverything, type ServerRecipe, type Site, withoutReturns} from './support/recipe.ts'

const HOME = '/usr/share/tomcat10'
const JARS = [`${HOME}/bin/bootstrap.jar`, `${HOME}/bin/tomcat-juli.jar`]

function configuration({root, port}: Site, access = ''): string {
  return `
<Server port="-1">
  <Service name="Catalina">
    <Connector port="${port}" address="127.0.0.1" protocol="HTTP/1.1"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false">
        <Context path="" docBase="${root}">${access}
          <!-- What a test has just made has to show: a cache would remember for 5 seconds. -->
          <Resources cachingAllowed="false"/>
          <JarScanner scanClassPath="false" scanManifest="false"/>
        </Context>
      </Host>
    </Engine>
  </Service>
</Server>
`
}

const application = (access = ''): string => `
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0" metadata-complete="true">
  <servlet>
    <servlet-name>dav</servlet-name>
    <servlet-class>org.apache.catalina.servlets.WebdavServlet</servlet-class>
    <init-param><param-name>listings</param-name><param-value>true</param-value></init-param>
    <init-param><param-name>readonly</param-name><param-value>false</param-value></init-param>
    <load-on-startup>1</load-on-startup>
  </servlet>
  <servlet-mapping><servlet-name>dav</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>${access}
</web-app>
`

export const tomcat: ServerRecipe = {
  name: 'Tomcat 10',
  packages: 'tomcat10 default-jre-headless',
  program: 'java',
  modules: JARS,
  traits: {
    ...listsEverything,
    infinity: 'answered',
    mostLevels: 3,
    hrefs: 'path',
    etag: 'W/"3-981173106000"',
    etagOfGet: 'weak',
    unknownProperties: 'named',
    otherBytes: false,
    refusal: (member) => (member.includes('\\') ? 400 : undefined),
    basicAuth: false,
  },
  deleting: {
    withoutSlash: 204,
    blocked: {'': 424, 'a/kept/1.txt': 405, 'a/kept/2.txt': 405},
    blockedNamesMembersAlone: true,
    locked: {'': 424, 'a/locked.txt': 423},
  },
  deadProperties: withoutReturns,
  locks: {
    heading: 'Tomcat',
    cells: {
      'PUT into a collection locked with Depth 0': 'open',
      'DELETE of a member of a collection locked with Depth 0': 'open',
      'MOVE in a collection locked with Depth 0': 'open',
    },
  },
  verbs: {
    heading: 'Tomcat',
    cells: {
      'get: after a break, resume': {
        seen: 'DavNetworkError, untouched',
        fault: 'Tomcat has weak ETags only, so a GET is not resumed, and ifMatch is refused',
      },
      'put: over an unchanged file, ifMatch': 'refused',
      'put: where the server may not write': 409,
      'put: where the server may not write, verify': 409,
      'mkcol: where the server may not write': 409,
      'mkcol: a new collection, properties': 'refused',
      'proppatch: xml:lang': {
        seen: 'success, partly done',
        fault: 'Tomcat drops the prefix of an attribute of a dead property, so xml:lang is lost',
      },
      'copy: a collection with a member that the server may not read': 500,
      'move: a collection with members that the server may not delete': {
        seen: 'failure, partly done',
        fault: 'Tomcat moves by COPY and DELETE: a member that stays is at both ends',
      },
      'delete: a collection with members that the server may not delete': 424,
    },
  },
  files: (site) => ({'conf/server.xml': configuration(site), 'conf/web.xml': application()}),
  args: ({folder}) => [
    // This makes the start a second shorter.
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Xmx400m',
    // Names on the disk are read as UTF-8, in any locale.
    '-Dfile.encoding=UTF-8',
    '-Dsun.jnu.encoding=UTF-8',
    // Without this, its connections would be in the list of IPv6.
    '-Djava.net.preferIPv4Stack=true',
    `-Dcatalina.home=${HOME}`,
    `-Dcatalina.base=${folder}`,
    `-Djava.io.tmpdir=${folder}`,
    '-cp',
    JARS.join(':'),
    'org.apache.catalina.startup.Bootstrap',
    'start',
  ],
}

const VALVE = `
          <Realm className="org.apache.catalina.realm.MemoryRealm" pathname="conf/users.xml"/>
          <Valve className="org.apache.catalina.authenticator.DigestAuthenticator" nonceValidity="1000"/>`

const ACCESS = `
  <security-constraint>
    <web-resource-collection>
      <web-resource-name>private</web-resource-name>
      <url-pattern>/private/*</url-pattern>
    </web-resource-collection>
    <auth-constraint><role-name>user</role-name></auth-constraint>
  </security-constraint>
  <login-config><auth-method>DIGEST</auth-method><realm-name>private</realm-name></login-config>
  <security-role><role-name>user</role-name></security-role>`

/** Tomcat with Digest by SHA-256 and MD5. A nonce lives for a second. */
export const tomcatWithDigest: ServerRecipe = {
  ...tomcat,
  name: 'Tomcat 10 with Digest',
  digest: {
    isShort: true,
    algorithms: ['SHA-256', 'MD5'],
    proves: false,
    unlock: 401,
    readsAnonymously: false,
  },
  files: (site) => ({
    'conf/server.xml': configuration(site, VALVE),
    'conf/web.xml': application(ACCESS),
    'conf/users.xml': users(site),
  }),
}

function users(site: Site): string {
  const lines = digestAccounts(site).map(
    ({user, password}) =>
      `  <user name="${user}" password="${password.replaceAll('"', '&quot;')}" roles="user"/>\n`,
  )
  return `<tomcat-users>\n${lines.join('')}</tomcat-users>\n`
}
