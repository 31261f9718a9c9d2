import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** One value in DER (ITU-T X.690): tag, length, content. */
const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const bits = (bytes: Buffer) => der(0x03, Buffer.from([0]), bytes)
/** UTCTime, which is required until 2049 (RFC 5280 section 4.1.2.5). */
const time = (at: Date) =>
  der(
    0x17,
    Buffer.from(
      `${at
        .toISOString()
        .slice(2)
        .replaceAll(/[-:T]|\..*/g, '')}Z`,
      'latin1',
    ),
  )

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
const commonName = oid('550403')
const subjectAltName = oid('551d11')

const yearMs = 365 * 86_400_000

/**
 * A self-signed certificate (RFC 5280), used until there is a real one. Node can read certificates but not make them, and this
 * one needs only three fields.
 */
export const selfSigned = (name: string): { cert: string; key: string } => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = Buffer.from(name, 'latin1')
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(15)])
  const subject = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(name.slice(0, 64))))))
  const names = sequence(subjectAltName, der(0x04, sequence(der(0x82, text))))
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    subject,
    sequence(time(new Date(Date.now() - 86_400_000)), time(new Date(Date.now() + yearMs))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(names)),
  )
  const whole = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, privateKey)))
  const lines = whole
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}
