import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

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

/**
 * Hears what a page's own browser complains of from now on: a policy that was broken, a script that failed.
 * Not what it only remarks upon (that a field had no need of its autofocus), nor the status of an answer, which a
 * test reads by itself.
 */
export const onComplaint = (page: Page, heard: (complaint: string) => void): void => {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !/status of [45]\d\d/.test(message.text()))
      heard(message.text())
  })
  page.on('pageerror', (error) => heard(error.message))
}
