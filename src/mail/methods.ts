import { Type } from '../contract/schema_builder.ts'
import { AppError } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Cursor, Email, Id, Limit, Named, Nullable, Page, Shape, Time } from '../contract/schemas.ts'
import type { Mails } from './mails.ts'
import { MailError } from './transport.ts'

const Mail = Named('Mail', {
  id: Id,
  address: Type.String(),
  kind: Type.String({ description: 'The purpose of the mail: verify, reset, magic, invite …' }),
  created_at: Time,
  due_at: Type.Integer({ description: 'Unix time of the next attempt' }),
  tries: Type.Integer(),
  last_error: Type.String({ description: 'The last reply of the mail server' }),
  gave_up_at: Nullable(Time),
})

export const mailMethods = (mails: Mails) => [
  method({
    name: 'mail.test',
    summary: 'Send a test mail immediately and report the reply of the mail server',
    effect: 'write',
    claim: ['proxy.admin'],
    params: Shape({ to: Email }),
    result: Shape({
      sent: Type.Boolean({ description: 'False if no mail server is set: the mail is then in the log' }),
    }),
    errors: ['unavailable'],
    examples: [{ params: { to: 'ada@example.org' }, result: { sent: false } }],
    prepare: async ({ to }) => {
      try {
        return await mails.test(to)
      } catch (error) {
        if (error instanceof MailError)
          throw new AppError('unavailable', `The mail could not be sent: ${error.message}`)
        throw error
      }
    },
    handler: (_, _caller, sent) => sent,
  }),
  method({
    name: 'mail.list',
    summary: 'List mail that is waiting and mail that was given up, newest first',
    effect: 'read',
    claim: ['proxy.admin'],
    params: Shape({ limit: Limit, cursor: Cursor }),
    result: Page(Mail),
    examples: [{ params: {}, result: { items: [], next_cursor: null } }],
    handler: (page) => mails.list(page),
  }),
]
