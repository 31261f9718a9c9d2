import type { Profile } from '../providers/profile.ts'
import { isNameOfTrust } from '../users/usernames.ts'

/** Letters that stay after their marks are taken off, and those that have a customary spelling without. */
const spelled: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  ø: 'o',
  œ: 'oe',
  đ: 'd',
  ł: 'l',
  þ: 'th',
}

const segmentOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[ßæøœđłþ]/g, (letter) => spelled[letter]!)
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[_-]+|[_-]+$/g, '')
    .slice(0, 63)

/** A username, one claim segment, like what somebody is called at a provider; none that services take for more than a person. */
export const usernameFrom = ({ login, email, name }: Pick<Profile, 'login' | 'email' | 'name'>): string =>
  [login, email?.split('@')[0] ?? '', name]
    .map(segmentOf)
    .find((found) => found !== '' && found !== 'system' && !isNameOfTrust(found)) ?? 'person'
