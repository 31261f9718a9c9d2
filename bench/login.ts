// Sign-ins: the rate compared with bare Argon2, the effect of a burst on other users, and whether an unknown name is refused faster.
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { HeroError, HeroProxy } from '../sdk/index.ts'
import { addPerson, newInstance, person } from './daemon.ts'
import { eventually, newFolder, node, serverCore, takeGeneratorCore } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, spread, takeTurns } from './round.ts'
import { signIn } from '../test/support/http.ts'

takeGeneratorCore()

/** Concurrent sign-ins: enough to keep a core busy, too few to be refused. */
const abreast = 8
const tries = 200
const burst = 500
const seconds = 3

const instance = await newInstance()
const daemon = instance.start(serverCore)
const hero = new HeroProxy({ socket: instance.socketPath, timeout: 60_000 })
await addPerson(hero)

const path = join(newFolder(), 'argon2.sock')
const bare = node(serverCore, join(import.meta.dirname, 'peers', 'argon2.ts'), path)
const socket = await eventually(
  () =>
    new Promise<ReturnType<typeof connect>>((resolve, reject) => {
      const opened = connect(path, () => resolve(opened)).once('error', reject)
    }),
)
const waiting: (() => void)[] = []
createInterface(socket).on('line', () => waiting.shift()?.())
const verifyBare = () =>
  new Promise<void>((resolve) => {
    waiting.push(resolve)
    socket.write(`${person.password}\n`)
  })

/** The rate at which an action succeeds, with this many at a time. */
const rateOf = async (work: () => Promise<unknown>) => {
  const [began, until] = [performance.now(), performance.now() + seconds * 1000]
  let done = 0
  const worker = async () => {
    while (performance.now() < until) {
      await work()
      done++
    }
  }
  await Promise.all(Array.from({ length: abreast }, worker))
  return { rate: (done * 1000) / (performance.now() - began) }
}
const login = (name: string, password: string) => hero.auth.login({ login: name, password })
const ours = 'auth.login'
const theirs = 'bare Argon2id'
const results = await takeTurns(
  [
    { name: ours, measure: () => rateOf(() => login('ada', person.password)) },
    { name: theirs, measure: () => rateOf(verifyBare) },
  ],
  roundsOr(5),
)

// Known and unknown names alternate. Each name is used once, because guesses are counted.
const took = async (work: Promise<unknown>) => {
  const began = performance.now()
  await work.catch(() => {})
  return performance.now() - began
}
for (let i = 0; i < tries; i++) await hero.users.add({ username: `known${i}`, password: person.password })
const known: number[] = []
const unknown: number[] = []
for (let i = 0; i < tries; i++) {
  known.push(await took(login(`known${i}`, 'wrong')))
  unknown.push(await took(login(`nobody${i}`, 'wrong')))
}
const difference = Math.abs(spread(known).median / spread(unknown).median - 1)

// A burst of sign-ins, and requests of a signed-in user at the same time.
const cookie = await signIn(
  { edge: { host: '127.0.0.1', port: instance.port } },
  'localhost',
  person.username,
  person.password,
)
const before = daemon.resident()
const refusals: number[] = []
const latencies: number[] = []
let memory = before
const attackers = new AbortController()
const attack = Promise.all(
  Array.from({ length: burst }, async (_, i) => {
    const began = performance.now()
    try {
      await login(`known${i % tries}`, person.password)
    } catch (error) {
      if (!(error instanceof HeroError) || error.code !== 'rate_limited') throw error
      refusals.push(performance.now() - began)
    }
  }),
).finally(() => attackers.abort())
while (!attackers.signal.aborted) {
  const began = performance.now()
  const answer = await fetch(`http://localhost:${instance.port}/auth/me`, {
    headers: { cookie },
  })
  await answer.text()
  if (answer.status !== 200) throw new Error(`the signed-in person got ${answer.status}`)
  latencies.push(performance.now() - began)
  memory = Math.max(memory, daemon.resident())
}
await attack
const p99 = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)]!

hero.close()
socket.destroy()
await Promise.all([daemon.stop(), bare.stop()])

heading('Signing in: Argon2id, 19 MiB, two passes, one core', {})
table([['', 'per second'], ...[ours, theirs].map((name) => [name, spreadText(results.of(name))])])
table([
  ['wrong password', 'ms'],
  ['known name', spreadText(spread(known))],
  ['unknown name', spreadText(spread(unknown))],
])
table([
  [`${burst} sign-ins at once`, ''],
  ['let in', String(burst - refusals.length)],
  ['refused within, ms (p99)', p99(refusals).toFixed(1)],
  ['a request with a session meanwhile, ms (p99)', p99(latencies).toFixed(1)],
  ['memory, MB', `${before.toFixed(0)} to ${memory.toFixed(0)}`],
])
figures(
  'login',
  {
    login_vs_argon2: results.ratio(ours, theirs).median,
    known_unknown_difference: difference,
    refusal_p99_ms: p99(refusals),
    session_p99_ms: p99(latencies),
    memory_growth_mb: memory - before,
  },
  results,
)
