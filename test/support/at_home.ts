import { startTestDaemon } from './daemon.ts'
import { freePort } from './openid_stage.ts'

/** A daemon whose public URL names the port where it listens, so that a browser can follow its redirects. */
export const startAtHome = async (settings: Readonly<Record<string, string>> = {}) => {
  const port = await freePort()
  return startTestDaemon({
    public_url: `http://localhost:${port}`,
    listen: `127.0.0.1:${port}`,
    ...settings,
  })
}
