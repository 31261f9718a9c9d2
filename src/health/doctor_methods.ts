import { method } from '../contract/method.ts'
import { Type } from '../contract/schema_builder.ts'
import { Nothing, Nullable, Shape } from '../contract/schemas.ts'
import type { Doctor, Finding } from './doctor.ts'

const Check = Shape({
  check: Type.String({ description: 'The name of the check' }),
  level: Type.Enum(['ok', 'warn', 'fail']),
  text: Type.String({ description: 'What was found, in a sentence' }),
  advice: Nullable(Type.String({ description: 'What to do about it' })),
})

export const doctorMethods = (doctor: Pick<Doctor, 'checks'>) => [
  method({
    name: 'doctor.checks',
    summary: 'Check the installation: names, proxies, routes, readiness',
    description: 'The start makes the same checks, and logs what is not ok.',
    effect: 'read',
    claim: ['proxy.admin'],
    params: Nothing,
    result: Shape({ checks: Type.Array(Check) }),
    examples: [
      {
        params: {},
        result: {
          checks: (
            [
              ['ready', '/readyz answers 200'],
              ['home_resolves', 'id.example.org resolves to 192.0.2.7'],
              ['home_name', 'id.example.org belongs to hero_proxy alone'],
              ['home_secure', 'people reach home by https'],
              ['routes_at_home', 'no route shares the host of public_url'],
              ['previous_names', 'no passkey depends on an earlier public URL'],
              ['clients', 'every application says who may enter'],
              ['ask_groups', 'every ask_group opens the place that names it'],
              ['first_factor', 'the first factor of an account takes a code from its mail'],
              ['another_device', 'a phone may sign in another browser from the same network'],
              ['forward_auth', 'no proxy stands in front'],
            ] as const
          )
            .map(([check, text]): Finding => ({ check, level: 'ok', text, advice: null }))
            .toSpliced(-2, 0, {
              check: 'registrations',
              level: 'warn',
              text: 'registrations that wait for approval: 1',
              advice:
                'hero-proxy call registrations.list, then registrations.approve or registrations.refuse',
            }),
        },
      },
    ],
    handler: async () => ({ checks: await doctor.checks() }),
  }),
]
