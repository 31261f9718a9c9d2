// Copies llhttp.wasm, an internal file of the undici package, to src/wire/llhttp/. `--check` only compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const vendored = join(import.meta.dirname, '..', 'src', 'wire', 'llhttp', 'llhttp.wasm')
const packaged = createRequire(import.meta.url)('undici/lib/llhttp/llhttp_simd-wasm.js') as Buffer

if (!process.argv.includes('--check')) writeFileSync(vendored, packaged)
else if (!existsSync(vendored) || !readFileSync(vendored).equals(packaged)) {
  console.error(
    'src/wire/llhttp/llhttp.wasm differs from the one in the locked undici; run node bin/llhttp.ts',
  )
  process.exitCode = 1
}
