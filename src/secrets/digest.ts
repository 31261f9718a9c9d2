import { hash } from 'node:crypto'

/** SHA-256 in hex: how we store and look up secrets that nobody can guess. */
export const digest = (text: string): string => hash('sha256', text, 'hex')
