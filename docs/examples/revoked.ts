// Keeps event streams of its own for people, and ends them with their sessions: npx node docs/examples/revoked.ts [port]
import { createServer, type ServerResponse } from 'node:http'
import { HeroProxy, identityFrom } from '../../sdk/index.ts'

const open = new Map<ServerResponse, string>()
const end = (concerns: (person: string) => boolean) => {
  for (const [stream, person] of open) if (concerns(person)) stream.destroy()
}

await new HeroProxy().onRevoked(({ user }) => end((person) => person === user), {
  onReset: () => end(() => true),
})

createServer((request, response) => {
  const who = identityFrom(request.headers)
  if (!who) return response.writeHead(401).end()
  open.set(response, who.impersonator ?? who.username)
  response.on('close', () => open.delete(response))
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: hello ${who.username}\n\n`)
}).listen(Number(process.argv[2] ?? 3005), '127.0.0.1', () => console.log('listening'))
