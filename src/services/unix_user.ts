import { readFileSync } from 'node:fs'

/** The numeric id of a local user, by name from /etc/passwd or as given; undefined for an unknown name. */
export const uidOf = (unixUser: string): number | undefined => {
  if (/^[0-9]+$/.test(unixUser)) return Number(unixUser)
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid] = line.split(':')
    if (name === unixUser && uid !== undefined) return Number(uid)
  }
  return undefined
}
