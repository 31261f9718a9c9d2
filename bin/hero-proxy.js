#!/usr/bin/env -S node --max-semi-space-size=4
// The flag: the garbage of requests dies young, but by default V8 lets 50 MB of it accumulate before it collects.
// This launcher is plain JavaScript, so that an older Node on the PATH can start the pinned one.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleUrl, cacheFolder, isOursAlone } from './bundle.js'

const here = fileURLToPath(import.meta.url)
const root = join(dirname(here), '..')
const flags = ['--max-semi-space-size=4']
const pinned = join(root, 'node_modules', 'node', 'bin', 'node')

if (Number(process.versions.node.split('.')[0]) < 24) {
  if (!existsSync(pinned)) {
    console.error(
      `hero-proxy: this is Node ${process.version}, but Node 24 or later is needed; \`npm ci\` installs it.`,
    )
    process.exit(1)
  }
  const child = spawn(pinned, [...flags, here, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
} else {
  const cache = cacheFolder(root)
  const cached = existsSync(join(root, 'node_modules')) && isOursAlone(cache)
  if (cached) module.enableCompileCache(cache)
  const [folder, type] = existsSync(join(root, 'bin', 'hero-proxy.ts')) ? ['..', 'ts'] : ['../dist', 'js']
  const bundled = cached || type === 'js' ? bundleUrl(root) : undefined
  if (bundled !== undefined) {
    await import(bundled)
  } else {
    await import(`${folder}/src/node/module_hooks.${type}`)
    await import(`${folder}/bin/hero-proxy.${type}`)
  }
}
