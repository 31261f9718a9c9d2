/** Configurations of the peers. Each uses one thread and keep-alive connections, and writes no access log. */

export interface Places {
  /** Where temporary files may be written. */
  readonly folder: string
  /** Unix socket of the upstream. */
  readonly upstream: string
  /** Unix socket of the endpoint that answers with identity headers. */
  readonly endpoint: string
  /** Unix socket of the recorder, which answers with what arrived at the upstream. */
  readonly recorder: string
}

/** The claims of the user of bench/daemon.ts. The comparison of the work fails if they change. */
export const claims =
  'deploy.start,groups.engineers,groups.staff,groups.writers,tickets.read,users.ada,wiki.pages.read,wiki.pages.write'

/** The headers that the upstream must get for the signed-in user, by name in lower case. */
export const identityHeaders = ({ addresses = '127.0.0.1', scheme = 'http' } = {}): ReadonlyMap<
  string,
  string
> =>
  new Map([
    ['x-hero-user', 'ada'],
    ['x-hero-context', '1'],
    ['x-hero-claims', claims],
    ['x-proxy-user-email', 'ada@example.org'],
    ['x-forwarded-for', addresses],
    ['x-forwarded-proto', scheme],
  ])

export const nginx = ({ folder }: Places, content: string) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 8192; }
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

/** An address in the notation of nginx: `unix:/path` or `127.0.0.1:80`. */
export const keptUpstream = (name: string, address: string) =>
  `upstream ${name} { server ${address}; keepalive 64; keepalive_requests 1000000000; keepalive_timeout 300s; }`

/** The identity and the address. Host is passed on unchanged, as by the other proxies. */
export const sixHeaders = `
      proxy_set_header Host $http_host;
      proxy_set_header X-Hero-User ada;
      proxy_set_header X-Hero-Context 1;
      proxy_set_header X-Hero-Claims ${claims};
      proxy_set_header X-Proxy-User-Email ada@example.org;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;`

/** /seen returns the identity that arrived, /recorded the complete request, and /same a constant response. */
const observed = ({ recorder }: Places) => `
    location = /same { return 200 "the same"; }
    location = /seen { return 200 "$http_x_hero_user $http_x_hero_claims"; }
    location = /recorded {
      proxy_pass http://unix:${recorder}:;
      proxy_set_header Host $http_host;
    }`

/** Returns 1 KB for any other path. Listens on the Unix socket, and on a port if given. */
export const upstream = (places: Places, port?: number): string =>
  nginx(
    places,
    `server {
    listen unix:${places.upstream};
    ${port === undefined ? '' : `listen 127.0.0.1:${port};`}
    location / { return 200 "${'x'.repeat(1024)}"; }${observed(places)}
  }`,
  )

/** Forwards with six constant headers set: the minimum for a proxy with identity. */
export const nginxPlain = (places: Places, port: number, address = `unix:${places.upstream}`): string =>
  nginx(
    places,
    `${keptUpstream('app', address)}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";${sixHeaders}
    }
  }`,
  )

/** The identity endpoint of nginx, and the headers that describe the request to it. */
interface Endpoint {
  readonly address: string
  readonly path: string
  readonly described: string
}

const bareEndpoint = ({ endpoint }: Places): Endpoint => ({
  address: `unix:${endpoint}`,
  path: '',
  described: 'proxy_set_header X-Original-URI $request_uri;',
})

/** Forward auth by a daemon on this port, with the headers of docs/forward-auth/nginx.conf. */
export const ourEndpoint = (port: number): Endpoint => ({
  address: `127.0.0.1:${port}`,
  path: '/auth/forward?redirect=off',
  described: `
      proxy_set_header X-Forwarded-Method $request_method;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Uri $request_uri;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Original-URL $scheme://$host$request_uri;`,
})

/** nginx as the endpoint. It answers every request with the identity, like the bare Node endpoint. */
export const nginxEndpoint = (places: Places): string =>
  nginx(
    places,
    `server {
    listen unix:${places.endpoint};
    add_header X-Hero-User ada;
    add_header X-Hero-Context 1;
    add_header X-Hero-Claims ${claims};
    add_header X-Proxy-User-Email ada@example.org;
    location / { return 200; }
  }`,
  )

/** Forwards each request after a request to the identity endpoint. */
export const nginxAuthRequest = (places: Places, port: number, endpoint = bareEndpoint(places)): string =>
  nginx(
    places,
    `${keptUpstream('app', `unix:${places.upstream}`)}
  ${keptUpstream('identity', endpoint.address)}
  server {
    listen 127.0.0.1:${port};
    location = /identity {
      internal;
      proxy_pass http://identity${endpoint.path};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      ${endpoint.described}
    }
    location / {
      auth_request /identity;
      proxy_set_header Host $http_host;
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

/** Sends this file for any other path, copied instead of spliced, as an application would. */
export const fileUpstream = (places: Places, file: string): string =>
  nginx(
    places,
    `server {
    listen unix:${places.upstream};
    root ${places.folder};
    sendfile off;
    output_buffers 2 256k;
    location / { try_files /${file} =404; }${observed(places)}
  }`,
  )

/**
 * Streams large bodies in both directions. If the client is slow, the data stays at the upstream and never goes to a temporary file,
 * as with all other contestants. The buffers have the size at which nginx is fastest.
 */
export const nginxStreaming = (places: Places, port: number, sink: string): string =>
  nginx(
    places,
    `${keptUpstream('app', `unix:${places.upstream}`)}
  ${keptUpstream('sink', `unix:${sink}`)}
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    client_body_buffer_size 256k;
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    proxy_buffers 8 64k;
    proxy_buffer_size 64k;
    proxy_busy_buffers_size 128k;
    proxy_http_version 1.1;
    location / {
      proxy_pass http://app;
      proxy_set_header Connection "";${sixHeaders}
    }
    location /sink {
      proxy_pass http://sink;
      proxy_set_header Connection "";${sixHeaders}
    }
  }`,
  )

/** Upgrades, with six headers set. */
export const nginxUpgrades = (places: Places, port: number): string =>
  nginx(
    places,
    `server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://unix:${places.upstream}:;
      proxy_http_version 1.1;
      proxy_read_timeout 1h;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;${sixHeaders}
    }
  }`,
  )
