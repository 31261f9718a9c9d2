import type { Catalogue, Notice, NoticeFacts, ProblemName } from './catalogue.ts'

/** The facts of a failure: `data` of its error. */
export interface Problem {
  readonly code: string
  readonly reason?: ProblemName | undefined
}

type Refusals = Pick<Catalogue, 'refusals'>

/** Returns the title and text of a notice. */
export const noticeWords = ({ refusals }: Refusals, { reason, values }: NoticeFacts): Notice => {
  const entry = refusals.notices[reason] as Notice | ((values: unknown) => Notice)
  return typeof entry === 'function' ? entry(values) : entry
}

/** Says what went wrong in one sentence. */
export const problemWords = ({ refusals }: Refusals, problem: Problem): string => {
  const entry = refusals.problems[problem.reason ?? (problem.code as ProblemName)] as
    string | ((values: object) => string)
  return typeof entry === 'function' ? entry(problem) : entry
}
