import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { startStage, type Stage } from '../support/edge_stage.ts'
import { freePort } from '../support/free_port.ts'
import { ask, signIn, type Answer } from '../support/http.ts'
import { until } from '../support/running_daemon.ts'
import { python, pythonMissing } from './python.ts'

/** Django's own administration pages with an account of their own. */
const django = `
import sys, django
from wsgiref.simple_server import make_server
from django.conf import settings
apps = ['django.contrib.' + name for name in ('admin', 'auth', 'contenttypes', 'sessions', 'messages')]
settings.configure(
    SECRET_KEY='only for tests', ALLOWED_HOSTS=['*'], ROOT_URLCONF='__main__', STATIC_URL='/static/',
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': sys.argv[1]}},
    DEFAULT_AUTO_FIELD='django.db.models.AutoField', INSTALLED_APPS=apps,
    MIDDLEWARE=[
        'django.contrib.sessions.middleware.SessionMiddleware', 'django.middleware.csrf.CsrfViewMiddleware',
        'django.contrib.auth.middleware.AuthenticationMiddleware',
        'django.contrib.messages.middleware.MessageMiddleware',
    ],
    TEMPLATES=[{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True, 'OPTIONS': {
        'context_processors': ['django.template.context_processors.request',
            'django.contrib.auth.context_processors.auth', 'django.contrib.messages.context_processors.messages']}}],
)
django.setup()
from django.contrib import admin
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path
urlpatterns = [path('admin/', admin.site.urls)]
call_command('migrate', verbosity=0)
from django.contrib.auth.models import User
User.objects.create_superuser('keeper', '', sys.argv[2])
server = make_server('127.0.0.1', 0, get_wsgi_application())
print(server.server_port, flush=True)
server.serve_forever()
`

const cookiesOf = ({ headers }: Answer): string[] =>
  (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]!)

describe('services with paths of their own that look like ours', () => {
  let stage: Stage
  let cookie: string
  let dir: string
  const children: ChildProcess[] = []
  const serve = async (host: string, port: number) => {
    await stage.route({ domain: host, auth_mode: 'local', target: `http://127.0.0.1:${port}` })
    cookie = await signIn(stage.daemon, host, 'ada', goodPassword)
  }
  before(async () => {
    stage = await startStage()
    dir = mkdtempSync(join(tmpdir(), 'hp-own-'))
  })
  after(async () => {
    for (const child of children) child.kill()
    await stage.close()
    rmSync(dir, { recursive: true, force: true })
  })

  test(
    'Radicale: the discovery of CalDAV, a new calendar, an event, and a report',
    { skip: pythonMissing('radicale') },
    async () => {
      const port = await freePort()
      const folder = ['--storage-filesystem-folder', join(dir, 'calendars')]
      children.push(
        spawn(python, ['-m', 'radicale', '--hosts', `127.0.0.1:${port}`, '--auth-type', 'none', ...folder], {
          stdio: 'ignore',
        }),
      )
      await serve('calendar.localhost', port)
      const dav = (method: string, path: string, body?: string, ...headers: string[]) =>
        ask(stage.daemon, 'calendar.localhost', path, {
          method,
          headers: ['Cookie', cookie, ...headers],
          ...(body !== undefined && { body }),
        })
      await until('Radicale answers', async () => (await dav('GET', '/.web/')).status === 200)
      const found = await dav('PROPFIND', '/.well-known/caldav')
      assert.ok([301, 302, 307, 308].includes(found.status), String(found.status))
      assert.equal(found.headers.location, '/')
      const xml = ['Content-Type', 'application/xml']
      assert.equal((await dav('MKCOL', '/ada/')).status, 201)
      assert.equal((await dav('MKCALENDAR', '/ada/home/')).status, 201)
      const event = `BEGIN:VCALENDAR VERSION:2.0 PRODID:-//x//y BEGIN:VEVENT UID:1 DTSTAMP:20260101T000000Z
DTSTART:20260101T100000Z SUMMARY:Tea END:VEVENT END:VCALENDAR `.replaceAll(/\s/g, '\r\n')
      assert.equal((await dav('PUT', '/ada/home/1.ics', event, 'Content-Type', 'text/calendar')).status, 201)
      const query =
        '<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><c:calendar-data/></d:prop>' +
        '<c:filter><c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>'
      const report = await dav('REPORT', '/ada/home/', query, 'Depth', '1', ...xml)
      assert.equal(report.status, 207)
      assert.match(report.body, /SUMMARY:Tea/)
    },
  )

  test('Django: /admin/ and its own sign-in form', { skip: pythonMissing('django') }, async () => {
    const child = spawn(python, ['-c', django, join(dir, 'django.db'), goodPassword], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    children.push(child)
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    await serve('shop.localhost', Number(String(line)))
    const at = (method: string, path: string, cookies: readonly string[], body?: string) =>
      ask(stage.daemon, 'shop.localhost', path, {
        method,
        headers: [
          'Cookie',
          [cookie, ...cookies].join('; '),
          ...(body === undefined ? [] : ['Content-Type', 'application/x-www-form-urlencoded']),
        ],
        ...(body !== undefined && { body }),
      })
    const sent = await at('GET', '/admin/', [])
    assert.equal(sent.headers.location, '/admin/login/?next=/admin/')
    const form = await at('GET', '/admin/login/?next=/admin/', [])
    const [, token] = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(form.body)!
    const fields = {
      csrfmiddlewaretoken: token!,
      username: 'keeper',
      password: goodPassword,
      next: '/admin/',
    }
    const body = String(new URLSearchParams(fields))
    const entered = await at('POST', '/admin/login/', cookiesOf(form), body)
    assert.equal(entered.status, 302, entered.body)
    const page = await at('GET', '/admin/', cookiesOf(entered))
    assert.match(page.body, /Site administration/)
  })
})
