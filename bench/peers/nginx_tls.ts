import { keptUpstream, nginx, sixHeaders, type Places } from './configurations.ts'

export const cipher = 'TLS_AES_128_GCM_SHA256'
export const group = 'X25519'

interface Certificate {
  readonly cert: string
  readonly key: string
}

/** TLS 1.3 and HTTP/2 or HTTP/1.1 as the client prefers, forwarded over plain HTTP with six headers set. */
export const nginxTls = (places: Places, port: number, certificate: Certificate, tickets: number): string =>
  nginx(
    places,
    `${keptUpstream('app', `unix:${places.upstream}`)}
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.3;
    ssl_ecdh_curve ${group};
    ssl_conf_command Ciphersuites ${cipher};
    ssl_conf_command NumTickets ${tickets};
    ssl_session_cache off;
    ssl_session_tickets ${tickets > 0 ? 'on' : 'off'};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";${sixHeaders}
    }
  }`,
  )

/** For Node's `--openssl-config`: a server that issues no session tickets. */
export const withoutTickets = `nodejs_conf = init
[init]
ssl_conf = tls
[tls]
system_default = defaults
[defaults]
NumTickets = 0
`
