// oidc-provider alone on the port argv[2], with its adapter in memory and the client argv[3] with the secret argv[4].
// It issues EdDSA JWTs, as we do, and answers introspection. /opaque returns the access token of a user for that.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'

const [, , port, client_id = '', client_secret = ''] = process.argv
const issuer = `http://localhost:${port}`
const keys = [
  generateKeyPairSync('ed25519').privateKey,
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
].map((key) => key.export({ format: 'jwk' }))

const provider = new Provider(issuer, {
  clients: [
    { client_id, client_secret, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
  ],
  cookies: { keys: [randomBytes(32).toString('hex')] },
  jwks: { keys } as never,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_, client, token) => client.clientId === token.clientId },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx) =>
        ctx.oidc.params?.grant_type === 'client_credentials' ? issuer : (undefined as never),
      getResourceServerInfo: () => ({
        scope: 'read write admin',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3600,
        jwt: { sign: { alg: 'EdDSA' } },
      }),
    },
  },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  ttl: { AccessToken: 3600, ClientCredentials: 3600, Grant: 36_000 },
})
const grant = new provider.Grant({ accountId: 'ada', clientId: client_id })
grant.addOIDCScope('openid email')
const grantId = await grant.save()
const client = (await provider.Client.find(client_id))!
const opaque = await new provider.AccessToken({
  client,
  accountId: 'ada',
  grantId,
  scope: 'openid email',
  gty: 'authorization_code',
} as never).save()

const answer = provider.callback()
createServer((request, response) => {
  if (request.url === '/opaque') response.end(opaque)
  else void answer(request, response)
}).listen(Number(port), '127.0.0.1')
process.on('SIGTERM', () => process.exit())
