// Verifies one password per line and does nothing else: the minimum cost of a sign-in.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { hash, verify } from '@node-rs/argon2'

const stored = await hash('mosaic-lantern-42-orbit', { memoryCost: 19456, timeCost: 2, parallelism: 1 })
createServer((socket) => {
  createInterface(socket).on('line', (line) => {
    void verify(stored, line).then((fits) => socket.write(`${fits}\n`))
  })
}).listen(process.argv[2])
