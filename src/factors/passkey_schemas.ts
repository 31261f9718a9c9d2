import { Named, Shape } from '../contract/schemas.ts'
import { Type } from '../contract/schema_builder.ts'

const Encoded = Type.String({ description: 'Bytes in base64url' })

export const SecretCode = Type.String({
  minLength: 6,
  maxLength: 40,
  pattern: '^[0-9A-Za-z\\s-]+$',
  description: 'Six digits from the app, or a recovery code',
})

/** The result of `navigator.credentials`, as its `toJSON()` returns it (WebAuthn section 5.1). */
export const PasskeyResponse = Type.String({
  minLength: 2,
  maxLength: 16384,
  description: 'JSON of PublicKeyCredential.toJSON()',
})

const Descriptor = Shape({ type: Type.String(), id: Encoded })

/** PublicKeyCredentialRequestOptionsJSON (WebAuthn section 5.5). */
export const RequestOptions = Named('PasskeyRequestOptions', {
  challenge: Encoded,
  rpId: Type.String(),
  timeout: Type.Integer({ description: 'Milliseconds' }),
  userVerification: Type.String(),
  allowCredentials: Type.Array(Descriptor),
})

/** PublicKeyCredentialCreationOptionsJSON (WebAuthn section 5.4). */
export const CreationOptions = Named('PasskeyCreationOptions', {
  challenge: Encoded,
  rp: Shape({ id: Type.String(), name: Type.String() }),
  user: Shape({ id: Encoded, name: Type.String(), displayName: Type.String() }),
  pubKeyCredParams: Type.Array(Shape({ type: Type.String(), alg: Type.Integer() })),
  timeout: Type.Integer({ description: 'Milliseconds' }),
  attestation: Type.String(),
  authenticatorSelection: Shape({
    residentKey: Type.String(),
    requireResidentKey: Type.Boolean(),
    userVerification: Type.String(),
  }),
  excludeCredentials: Type.Array(Descriptor),
})

const challenge = 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hEpX4Vf'

export const exampleOptions = {
  challenge,
  rpId: 'localhost',
  timeout: 300000,
  userVerification: 'required',
  allowCredentials: [],
}

export const exampleCreation = {
  challenge,
  rp: { id: 'localhost', name: 'hero_proxy' },
  user: {
    id: 'MDE5MzJkMWMtN2E1ZS03YzQxLTlmM2EtNWYxZDJjM2I0YTAx',
    name: 'ada',
    displayName: 'Ada Lovelace',
  },
  pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
  timeout: 300000,
  attestation: 'none',
  authenticatorSelection: {
    residentKey: 'preferred',
    requireResidentKey: false,
    userVerification: 'preferred',
  },
  excludeCredentials: [],
}
