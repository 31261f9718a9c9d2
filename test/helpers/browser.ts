import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)

/** Why tests in a browser cannot run here, or undefined if they can. */
export const browserMissing = (): string | undefined =>
  program === undefined ? 'Chromium is not installed (Debian: apt-get install chromium)' : undefined

/** Headless Chromium; every name under `localhost` leads to this machine by itself. */
export const startBrowser = (flags: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: program!,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...flags,
    ],
  })
