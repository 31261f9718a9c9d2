import { hash } from 'node:crypto'

/** SHA-256 in hex: what is kept of a secret that nobody can guess, and what it is found by. */
export const digest = (text: string): string => hash('sha256', text, 'hex')
