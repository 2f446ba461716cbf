import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LocalRegistryOptions {
  /** The packages that live here. Requests for any other are redirected to the upstream. */
  readonly owned: readonly string[]
  /** The registry that the machine is configured for. */
  readonly upstream: string
}

export interface LocalRegistry extends AsyncDisposable {
  readonly url: string
  /** What was published, in that order: `@posthorn/transport@0.1.0`. */
  readonly published: readonly string[]
}

interface Version {
  readonly version: string
  readonly dist: { tarball: string }
}

interface Package {
  readonly name: string
  readonly versions: Record<string, Version>
  readonly 'dist-tags': Record<string, string>
  /** By file name. */
  readonly tarballs: Map<string, Buffer>
}

/** What a client sends to publish. */
interface Publication {
  readonly name: string
  readonly versions: Readonly<Record<string, Version>>
  readonly 'dist-tags': Readonly<Record<string, string>>
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>
}

/** An npm registry in memory: as much of the protocol as publishing and installing need. */
export async function startLocalRegistry({ owned, upstream }: LocalRegistryOptions): Promise<LocalRegistry> {
  const packages = new Map<string, Package>()
  const published: string[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://registry').pathname).slice(1)
    const [, name = path, file] = /^(.+?)\/-\/(.+)$/.exec(path) ?? []

    if (path === '-/whoami') return send(response, 200, { username: 'local' })
    // No advisories, among other things.
    if (path.startsWith('-/')) return send(response, 200, {})
    if (!owned.includes(name)) {
      response
        .writeHead(302, { location: new URL(request.url?.slice(1) ?? '', withSlash(upstream)).href })
        .end()
      return
    }
    if (request.method === 'PUT')
      return publish(response, JSON.parse(await readBody(request)), `http://${request.headers.host}`)

    const found = packages.get(name)
    const tarball = found?.tarballs.get(file ?? '')
    if (tarball !== undefined) response.writeHead(200, headers).end(tarball)
    else if (found === undefined || file !== undefined) send(response, 404, { error: 'not found' })
    else send(response, 200, { ...found, tarballs: undefined })
  }

  function publish(response: ServerResponse, publication: Publication, url: string): void {
    const { name, versions, _attachments: attachments } = publication
    const existing: Package = packages.get(name) ?? {
      name,
      versions: {},
      'dist-tags': {},
      tarballs: new Map(),
    }
    const taken = Object.keys(versions).find((version) => version in existing.versions)
    if (taken !== undefined) {
      return send(response, 403, {
        error: `You cannot publish over the previously published version ${taken}.`,
      })
    }

    for (const [version, manifest] of Object.entries(versions)) {
      const [data] = Object.values(attachments)
      const file = `${name.split('/').pop()}-${version}.tgz`
      existing.tarballs.set(file, Buffer.from(data?.data ?? '', 'base64'))
      existing.versions[version] = {
        ...manifest,
        dist: { ...manifest.dist, tarball: `${url}/${name}/-/${file}` },
      }
      published.push(`${name}@${version}`)
    }
    Object.assign(existing['dist-tags'], publication['dist-tags'])
    packages.set(name, existing)
    send(response, 201, { ok: true })
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => send(response, 500, { error: String(error) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}/`,
    published,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

// A later registry may get the same port, so clients must not remember anything of this one.
const headers = { 'cache-control': 'no-store' }

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const withSlash = (url: string): string => (url.endsWith('/') ? url : `${url}/`)
