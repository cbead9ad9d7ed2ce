<?php
// Gives the requests of PHP's own web server to DAViCal, with the path where its scripts look for it.
$path = parse_url('http://localhost' . $_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (is_string($path) && preg_match('#^/caldav\.php(/.*)?$#s', $path, $found)) {
  $below = $found[1] ?? '/';
  $_SERVER['SCRIPT_NAME'] = '/caldav.php';
  $_SERVER['PHP_SELF'] = '/caldav.php' . $below;
  $_SERVER['PATH_INFO'] = rawurldecode($below);
  $_SERVER['SCRIPT_FILENAME'] = $_SERVER['DOCUMENT_ROOT'] . '/caldav.php';
  chdir($_SERVER['DOCUMENT_ROOT']);
  require $_SERVER['DOCUMENT_ROOT'] . '/caldav.php';
  return true;
}
http_response_code(404);
