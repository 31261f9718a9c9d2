import { parentPort } from 'node:worker_threads'
import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'

const zxcvbn = new ZxcvbnFactory({ graphs: adjacencyGraphs, dictionary, useLevenshteinDistance: false })

/**
 * The password without the user's names: zxcvbn overrates a password of several words even if all of them are known.
 */
const withoutNames = (password: string, names: string[]) =>
  names
    .filter((name) => name.length >= 3)
    .sort((a, b) => b.length - a.length)
    .reduce((text, name) => text.replaceAll(name.toLowerCase(), ''), password.toLowerCase())

parentPort!.on('message', ({ id, password, names }: { id: number; password: string; names: string[] }) => {
  // Longer input is not weaker, and the estimate grows with the square of its length.
  const text = password.slice(0, 100)
  const bare = withoutNames(text, names)
  const scoreOf = (part: string) => (part === '' ? 0 : zxcvbn.check(part, names).score)
  const score = Math.min(scoreOf(text), bare.length < text.length ? scoreOf(bare) : 4)
  parentPort!.postMessage({ id, score })
})
