// Adds a person to a group and tells what that makes of them: npx node docs/examples/people.ts linus
import { AlreadyExists, HeroProxy } from '../../sdk/index.ts'

const hero = new HeroProxy()
const [username = 'linus'] = process.argv.slice(2)

try {
  await hero.users.add({ username, email: `${username}@example.org` })
  await hero.groups.add_member({ group: 'engineers', user: username })
} catch (error) {
  if (!(error instanceof AlreadyExists)) throw error
  console.log(error.message)
}
const { claims } = await hero.claims.resolve({ user: username })
console.log(username, 'has', claims.join(', '))
