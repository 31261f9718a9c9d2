// An application of your own that signs people in by OpenID Connect. CLIENT_SECRET tells its secret:
//   npx node docs/examples/sign_in.ts [port]
import express from 'express'
import openid from 'express-openid-connect'

const port = Number(process.argv[2] ?? 3006)
const app = express()

app.use(
  openid.auth({
    issuerBaseURL: process.env.ISSUER ?? 'http://localhost:9997',
    clientID: 'notes',
    clientSecret: process.env.CLIENT_SECRET!,
    baseURL: `http://localhost:${port}`,
    secret: process.env.CLIENT_SECRET!, // seals the application's own cookie
    authRequired: false,
    idpLogout: true,
    authorizationParams: { response_type: 'code', scope: 'openid profile email groups' },
  }),
)
app.get('/', (request, response) => {
  const who = request.oidc.user?.name as string | undefined
  response.send(who ? `Hello, ${who}. <a href="/logout">Sign out</a>` : '<a href="/login">Sign in</a>')
})
app.get('/me', openid.requiresAuth(), (request, response) => void response.json(request.oidc.user))

app.listen(port, '127.0.0.1', () => console.log(`open http://localhost:${port}`))
