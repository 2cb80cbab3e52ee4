'use strict';

/** What becomes of a request for an upgrade. */
const UPGRADES = ['passed', 'stripped', 'refused', 'cut'];

/** nginx takes a hop's headers away by itself; an upgrade goes through only where it is told to pass them on. */
const PASSED = `
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $hop;`;

const HANDLING = {
  passed: PASSED,
  stripped: '',
  refused: `
      if ($http_upgrade) { return 403; }`,
  cut: PASSED,
};

/**
 * `relay` is the port that upgrades go through, 0 for none. With `second` there are two backends: a request without the
 * cookie `route` gets the next one in turn, and the cookie that names it; where that backend is down the other one takes it.
 */
function configuration({ folder, port, token, backend, second, upgrades, relay }) {
  const at = number => `127.0.0.1:${number}`;
  const [first, other] = second ? ['one', 'two'] : [at(backend), at(backend)];
  const sticky = second ? `
      add_header Set-Cookie "route=$route; Path=/; HttpOnly" always;` : '';
  return `
daemon off;
master_process off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  log_format tests escape=json '{"method":"$request_method","uri":"$request_uri","status":$status,'
    '"upgrade":"$http_upgrade","cookie":"$http_cookie","backend":"$upstream_addr"}';
  access_log ${folder}/access.log tests;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 64m;

  upstream backends {
    server ${at(backend)};${second ? `\n    server ${at(second)};` : ''}
  }
  ${second ? `upstream one { server ${at(backend)}; server ${at(second)} backup; }
  upstream two { server ${at(second)}; server ${at(backend)} backup; }` : ''}
  map $cookie_route $named { one ${first}; two ${other}; default backends; }
  map $http_upgrade $way { '' $named; default ${relay ? at(relay) : '$named'}; }
  # Of several that were tried the last one answered.
  map $upstream_addr $route { "~${at(second || backend)}$" two; default one; }
  map $http_upgrade $hop { '' ''; default upgrade; }

  server {
    listen ${at(port)};
    location = /nginx/token {
      access_log off;
      return 200 '${token}';
    }
    location / {
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection '';${HANDLING[upgrades]}${sticky}
      proxy_pass http://$way;
    }
  }
}
`;
}

module.exports = { configuration, UPGRADES };
