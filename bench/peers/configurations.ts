/** What the peers are told to do; each serves with one thread, keeps its connections and writes no access log. */

export interface Places {
  /** Where temporary files may be written. */
  readonly folder: string
  /** Unix socket of the upstream. */
  readonly upstream: string
  /** Unix socket of the endpoint that answers with identity headers. */
  readonly endpoint: string
}

const claims = 'deploy.start,tickets.read,users.ada,wiki.pages.read,wiki.pages.write'

const nginx = ({ folder }: Places, content: string) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  ${content}
}
`

const keptUpstream = (name: string, path: string) =>
  `upstream ${name} { server unix:${path}; keepalive 64; keepalive_requests 1000000000; keepalive_timeout 300s; }`

/** 1 KB to everything, and at /seen the identity that arrived. */
export const upstream = (places: Places): string =>
  nginx(
    places,
    `server {
    listen unix:${places.upstream};
    location / { return 200 "${'x'.repeat(1024)}"; }
    location = /seen { return 200 "$http_x_hero_user $http_x_hero_claims"; }
  }`,
  )

/** Forwards with six headers set, all known beforehand: the least that a proxy with identity does. */
export const nginxPlain = (places: Places, port: number): string =>
  nginx(
    places,
    `${keptUpstream('app', places.upstream)}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Hero-User ada;
      proxy_set_header X-Hero-Context 1;
      proxy_set_header X-Hero-Claims ${claims};
      proxy_set_header X-Proxy-User-Email ada@example.org;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }`,
  )

/** The same, with the identity asked for at an endpoint before every request. */
export const nginxAuthRequest = (places: Places, port: number): string =>
  nginx(
    places,
    `${keptUpstream('app', places.upstream)}
  ${keptUpstream('identity', places.endpoint)}
  server {
    listen 127.0.0.1:${port};
    location = /identity {
      internal;
      proxy_pass http://identity;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
    }
    location / {
      auth_request /identity;
      auth_request_set $user $upstream_http_x_hero_user;
      auth_request_set $context $upstream_http_x_hero_context;
      auth_request_set $claims $upstream_http_x_hero_claims;
      auth_request_set $email $upstream_http_x_proxy_user_email;
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Hero-User $user;
      proxy_set_header X-Hero-Context $context;
      proxy_set_header X-Hero-Claims $claims;
      proxy_set_header X-Proxy-User-Email $email;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }`,
  )

const caddy = (port: number, directives: string) => `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://:${port} {
  bind 127.0.0.1
  ${directives}
}
`

const six = [
  'X-Hero-User ada',
  'X-Hero-Context 1',
  `X-Hero-Claims ${claims}`,
  'X-Proxy-User-Email ada@example.org',
]
  .map((line) => `    header_up ${line}`)
  .join('\n')

/** Caddy sets X-Forwarded-For and X-Forwarded-Proto by itself. */
export const caddyPlain = (places: Places, port: number): string =>
  caddy(port, `reverse_proxy unix/${places.upstream} {\n${six}\n  }`)

export const caddyForwardAuth = (places: Places, port: number): string =>
  caddy(
    port,
    `forward_auth unix/${places.endpoint} {
    uri /identity
    copy_headers X-Hero-User X-Hero-Context X-Hero-Claims X-Proxy-User-Email
  }
  reverse_proxy unix/${places.upstream}`,
  )
