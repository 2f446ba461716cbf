import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Certificates and keys as PEM. The authority `other` has signed nothing here. */
export interface Certificates {
  readonly authority: string
  readonly other: string
  readonly server: { readonly cert: string; readonly key: string }
  readonly client: { readonly cert: string; readonly key: string }
}

const run = promisify(execFile)

/** For two days. The server's is for 127.0.0.1 and `broker.test`, the client's for the user of this name. */
export async function makeCertificates(openssl: string, user: string): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-certificates-'))
  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8')
  const make = async (name: string, subject: string, ...further: readonly string[]): Promise<void> => {
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      `${name}.key`,
    ]
    const cert = ['-subj', `/CN=${subject}`, '-days', '2', '-out', `${name}.pem`]
    await run(openssl, ['req', '-x509', ...key, ...cert, ...further], { cwd: folder })
  }
  const signed = ['-CA', 'authority.pem', '-CAkey', 'authority.key']
  const isNone = ['-addext', 'basicConstraints=critical,CA:FALSE']
  try {
    await make('authority', 'Authority')
    await make('other', 'Other authority')
    const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:broker.test']
    await make('server', 'broker.test', ...signed, ...isNone, ...names)
    await make('client', user, ...signed, ...isNone, '-addext', 'extendedKeyUsage=clientAuth')
    return {
      authority: await read('authority.pem'),
      other: await read('other.pem'),
      server: { cert: await read('server.pem'), key: await read('server.key') },
      client: { cert: await read('client.pem'), key: await read('client.key') },
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
