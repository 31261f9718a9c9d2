import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const program = [
  // The browser without its windows, which nobody sees: half the work for the processor.
  '/usr/lib/chromium/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path))

/** Why tests in a browser cannot run here, or undefined if they can. */
export const browserMissing = (): string | undefined =>
  program === undefined ? 'Chromium is not installed (Debian: apt-get install chromium)' : undefined

/** Headless Chromium, which resolves every name under `localhost` to this machine by itself. */
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
 * Calls `listener` for each error or warning in the console of a page from now on: a violated policy, a failed script.
 * Messages about the status of a response are left out, because a test checks that itself.
 */
export const onComplaint = (page: Page, listener: (complaint: string) => void): void => {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !/status of [45]\d\d/.test(message.text()))
      listener(message.text())
  })
  page.on('pageerror', (error) => listener(error.message))
}

/**
 * A script for pages under test: the browser does not offer passkeys in the field for the name. A virtual authenticator would take
 * the offer at once, and sign in before a test has chosen another way.
 */
export const noPasskeyInField =
  'if (globalThis.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false'

/** Gives a page a virtual authenticator, which keeps passkeys and answers at once, as if the person had touched it. */
export const addAuthenticator = async (page: Page, kind: 'passkey' | 'u2f' = 'passkey'): Promise<void> => {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...(kind === 'passkey'
        ? {
            protocol: 'ctap2',
            transport: 'internal',
            hasResidentKey: true,
            hasUserVerification: true,
            isUserVerified: true,
          }
        : // A key that is only touched: it stores nothing and asks for no PIN.
          {
            protocol: 'u2f',
            transport: 'usb',
            hasResidentKey: false,
            hasUserVerification: false,
            isUserVerified: false,
          }),
      automaticPresenceSimulation: true,
    },
  })
}
