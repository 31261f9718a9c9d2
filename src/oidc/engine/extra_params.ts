import { errors } from 'oidc-provider'
import { askedParams, isAge } from '../asked_proof.ts'

/** The parameters that we add to a request, or give another name. Each may have a check. */
export const extraParams = {
  offline_asked: null,
  ...Object.fromEntries(askedParams.map((name) => [name, null])),
  asked_age: (_: unknown, value: unknown) => {
    if (!isAge(value)) throw new errors.InvalidRequest('invalid max_age parameter value')
  },
}
