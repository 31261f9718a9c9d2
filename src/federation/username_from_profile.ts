import type { Profile } from '../providers/profile.ts'
import { isReservedName } from '../users/usernames.ts'

/** Letters that Unicode does not decompose, with their customary ASCII spelling. */
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

/**
 * Derives a username, one claim segment, from a provider's profile. It never returns a name that services would trust as an
 * administrator or the system.
 */
export const usernameFrom = ({ login, email, name }: Pick<Profile, 'login' | 'email' | 'name'>): string =>
  [login, email?.split('@')[0] ?? '', name]
    .map(segmentOf)
    .find((found) => found !== '' && found !== 'system' && !isReservedName(found)) ?? 'person'
