import { keptUpstream, nginx, type Places } from './configurations.ts'

/** The address of the front, which is trusted. Clients that connect directly from 127.0.0.1 are not. */
export const frontAddress = '127.0.0.2'

/** nginx in front of a daemon, with as many keep-alive connections as there are concurrent clients. */
export const nginxFront = (places: Places, port: number, daemonPort: number): string =>
  nginx(
    places,
    `${keptUpstream('hero_proxy', `127.0.0.1:${daemonPort}`)}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://hero_proxy;
      proxy_bind ${frontAddress};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }`,
  )
