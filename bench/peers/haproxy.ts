import { claims, type Places } from './configurations.ts'

/** HAProxy with one thread. It keeps and shares connections to the upstream. */
export const haproxyPlain = (places: Places, port: number): string => `
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
frontend door
  bind 127.0.0.1:${port}
  http-request set-header X-Hero-User ada
  http-request set-header X-Hero-Context 1
  http-request set-header X-Hero-Claims ${claims}
  http-request set-header X-Proxy-User-Email ada@example.org
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  default_backend app
backend app
  server app unix@${places.upstream}
`
