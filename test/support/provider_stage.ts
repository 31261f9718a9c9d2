import type { HeroProxy } from '../../sdk/index.ts'
import { goodPassword } from './daemon.ts'
import type { Person } from './person.ts'
import { startProvider, type Provider } from './openid_stage.ts'

export type Page = Awaited<ReturnType<Person['open']>>
export type NewProvider = Parameters<HeroProxy['providers']['add']>[0]

export interface Stage extends AsyncDisposable {
  readonly daemon: Provider['daemon']
  readonly hero: HeroProxy
  readonly origin: string
}

/** A daemon at its public URL that allows providers on this machine, with the users ada (administrator) and grace. */
export const startRelying = async (settings: Record<string, string> = {}): Promise<Stage> => {
  const { daemon, issuer } = await startProvider(settings)
  await daemon.hero.settings.set({ key: 'providers_may_be_local', value: true })
  return {
    daemon,
    hero: daemon.hero,
    origin: issuer,
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  }
}

export const cookieNames = (person: Person, origin: string): string[] =>
  person
    .cookiesAt(new URL(origin))
    .split('; ')
    .map((pair) => pair.split('=')[0]!)

/** The user who is signed in in this browser, if any. */
export const whoIs = async (person: Person, origin: string): Promise<string | undefined> => {
  const page = await person.open(`${origin}/auth/me`, {
    headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' },
  })
  return page.status === 200 ? (JSON.parse(page.text) as { user: string }).user : undefined
}

/** From the sign-in page to the peer and back, as the user with this subject there. */
export const comeBy = async (
  person: Person,
  { origin }: Pick<Stage, 'origin'>,
  provider: string,
  subject: string,
  next = '/auth/me',
): Promise<Page> => {
  const page = await person.open(`${origin}/login?provider=${provider}&next=${encodeURIComponent(next)}`)
  return page.url.pathname.startsWith('/who/') ? person.submit(page, '/who/', { sub: subject }) : page
}

export const byPassword = async (person: Person, origin: string, login: string): Promise<Page> =>
  person.signIn(await person.open(`${origin}/auth/login`), login, goodPassword)

/** Returns the audit lines about sign-ins with providers, newest first. */
export const auditLines = async ({ hero }: Pick<Stage, 'hero'>): Promise<string[]> =>
  (await hero.audit.list({ limit: 200 })).items
    .filter(({ method }) => method.includes('_by_provider') || method.includes('identities'))
    .map(({ method, target, outcome }) => `${method} ${target} ${outcome}`)
