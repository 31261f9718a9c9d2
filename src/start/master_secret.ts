import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Database } from '../storage/database.ts'
import { instanceFact, keepInstanceFact } from '../storage/instance_facts.ts'
import { Seal } from '../secrets/seal.ts'

const row = 'instance:master_secret_check'
const key = 'master_secret_check'

/** The configured master secret, or the one in the data directory, which the first start creates (0600). */
export const readMasterSecret = (config: Config): string => {
  if (config.secret !== undefined) return config.secret
  const file = join(config.data_dir, 'master.key')
  if (!existsSync(file))
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  if ((statSync(file).mode & 0o077) !== 0) throw new Error(`${file} is readable by others; chmod 600 it`)
  const secret = readFileSync(file, 'utf8').trim()
  if (secret.length < 32)
    throw new Error(`${file} contains fewer than 32 characters; restore it from a backup`)
  return secret
}

/** Checks at the start, not at first use, that the database was sealed with this secret. */
export const openSeal = async (database: Database, secret: string): Promise<Seal> => {
  const seal = new Seal(secret)
  const check = await instanceFact(database, key)
  if (check === undefined) {
    await keepInstanceFact(database, key, seal.seal('hero_proxy', row))
    return seal
  }
  try {
    seal.open(check, row)
  } catch {
    throw new Error(
      'the master secret is not the one this database was sealed with; restore master.key or HERO_SECRET from a backup',
    )
  }
  return seal
}
