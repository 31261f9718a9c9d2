import { claims, type Places } from './configurations.ts'

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
