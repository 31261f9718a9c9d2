import { parentPort } from 'node:worker_threads'
import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'

const zxcvbn = new ZxcvbnFactory({ graphs: adjacencyGraphs, dictionary, useLevenshteinDistance: false })

parentPort!.on('message', ({ id, password, names }: { id: number; password: string; names: string[] }) => {
  // Longer input is not weaker, and the estimate grows with the square of its length.
  const { score, feedback } = zxcvbn.check(password.slice(0, 100), names)
  parentPort!.postMessage({ id, score, warning: feedback.warning })
})
