import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { digest } from '../../src/secrets/digest.ts'
import { childHash } from '../../src/sessions/child_sessions.ts'
import { newId, now } from '../../src/storage/ids.ts'
import { byHand } from './people.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from './daemon.ts'
import { ask, signIn, type Answer } from './http.ts'
import { startUpstream, type Upstream } from './upstream.ts'

type RouteParams = Parameters<TestDaemon['hero']['proxy']['routes']['add']>[0]

export interface Stage extends AsyncDisposable {
  readonly daemon: TestDaemon
  /** Responds with what it received. */
  readonly upstream: Upstream
  /**
   * Cookies of ada, who holds the claim `app.use` through her group, and bob, who holds no claim. They count at home, and at
   * every host that `route` was called for.
   */
  readonly ada: string
  readonly bob: string
  route(params: Omit<RouteParams, 'target'> & { target?: string }): Promise<{ id: string }>
  close(): Promise<void>
}

/** A daemon with two signed-in users and an upstream that echoes each request. */
export const startStage = async (settings: Record<string, string> = {}): Promise<Stage> => {
  const daemon = await startTestDaemon(settings)
  const upstream = await startUpstream()
  const { hero } = daemon
  for (const username of ['ada', 'bob']) {
    await hero.users.add({ username, email: `${username}@example.org`, password: goodPassword })
  }
  await hero.groups.add({ slug: 'team' })
  await hero.groups.add_member({ group: 'team', user: 'ada' })
  await hero.groups.add_claim({ group: 'team', claim: 'app.use' })
  const close = async () => {
    await daemon.close()
    await upstream.close()
  }
  const [ada, bob] = await Promise.all(
    ['ada', 'bob'].map((name) => signIn(daemon, 'localhost', name, goodPassword)),
  )
  const route: Stage['route'] = async (params) => {
    const added = await hero.proxy.routes.add({ target: upstream.target, ...params })
    await openAt(daemon, params.domain, ada!, bob!)
    return added
  }
  await route({ domain: 'enter.localhost', auth_mode: 'optional' })
  return { daemon, upstream, ada: ada!, bob: bob!, route, close, [Symbol.asyncDispose]: close }
}

/**
 * Opens child sessions at a host, with the values of the cookies that these people have at home. A browser gets a value of its own at
 * each host; that they are the same here shows in no answer, and no test has to look them up.
 */
export const openAt = (
  daemon: Pick<TestDaemon, 'config'>,
  host: string,
  ...cookies: readonly string[]
): Promise<void> =>
  byHand(daemon, async (database) => {
    for (const token of cookies.map((cookie) => cookie.replace(/^[^=]*=/, ''))) {
      const { id } = await database.query
        .selectFrom('sessions')
        .select('id')
        .where('token_hash', '=', digest(token))
        .executeTakeFirstOrThrow()
      for (const secure of [false, true])
        await database.query
          .insertInto('child_sessions')
          .values({
            id: newId(),
            token_hash: childHash(token, { host, secure }),
            parent_id: id,
            origin: `${secure ? 'https' : 'http'}://${host}`,
            arrival_hash: '',
            round: 1,
            passage: '',
            opened_at: now(),
          })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
    }
  })

/** Signs in at home and opens child sessions at these hosts. Returns the one cookie that counts at home and at all of them. */
export const signInAtAll = async (
  daemon: TestDaemon,
  hosts: readonly string[],
  login: string,
  password = goodPassword,
): Promise<string> => {
  const cookie = await signIn(daemon, 'localhost', login, password)
  for (const host of hosts) await openAt(daemon, host, cookie)
  return cookie
}

/** The request as the echoing upstream received it. */
export interface Got {
  readonly method: string
  readonly url: string
  readonly rawHeaders: string[]
}
export const got = ({ body }: Pick<Answer, 'body'>): Got => JSON.parse(body) as Got

/** Headers by their folded name, as CGI reads them: everything that is not a letter or digit counts as `_`. */
export const folded = (rawHeaders: readonly string[]): Map<string, string[]> => {
  const map = new Map<string, string[]>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
    map.set(name, [...(map.get(name) ?? []), rawHeaders[i + 1]!])
  }
  return map
}

/** A service that sends exactly these bytes in response to every request. */
export interface RawUpstream extends AsyncDisposable {
  readonly target: string
  readonly server: Server
}

export const startRaw = async (
  serve: string | ((socket: Socket, head: string) => void),
): Promise<RawUpstream> => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', (bytes) => {
      if (typeof serve === 'string') socket.end(Buffer.from(serve, 'latin1'))
      else serve(socket, bytes.toString('latin1'))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    target: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Fetches a page and returns the form that a browser would post. */
export const openForm = async (
  daemon: Pick<TestDaemon, 'edge'>,
  host: string,
  path = '/auth/login',
  headers: readonly string[] = [],
): Promise<{ cookie: string; token: string; page: Answer }> => {
  const page = await ask(daemon, host, path, { headers: ['Accept', 'text/html', ...headers] })
  const cookie = page.headers['set-cookie']?.find((line) => line.includes('form'))?.split(';')[0] ?? ''
  return { cookie, token: /name="form_token" value="([^"]+)"/.exec(page.body)?.[1] ?? '', page }
}

export const postForm = (
  daemon: Pick<TestDaemon, 'edge'>,
  host: string,
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: readonly string[],
): Promise<Answer> =>
  ask(daemon, host, path, {
    method: 'POST',
    headers: ['Content-Type', 'application/x-www-form-urlencoded', 'Accept', 'text/html', ...headers],
    body: new URLSearchParams(fields).toString(),
  })
