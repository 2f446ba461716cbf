import { describe, expect, test } from 'vitest'
import { parseUrl } from './broker-url.ts'
import { readOptions } from './options.ts'

describe('readOptions', () => {
  test('fills in the defaults, and hands the rest to the transport', () => {
    const { settings, transport } = readOptions({ url: 'amqp://localhost', namespace: 'shop', heartbeatS: 5 })
    expect(settings).toMatchObject({
      urls: ['amqp://localhost'],
      heartbeatS: 5,
      queueType: 'quorum',
      auth: 'plain',
    })
    expect(transport).toEqual({ namespace: 'shop' })
  })

  test.each([
    [{}, 'POSTHORN_INVALID_OPTION'],
    [{ url: 'amqp://a', urls: ['amqp://b'] }, 'POSTHORN_INVALID_OPTION'],
    [{ urls: [] }, 'POSTHORN_INVALID_OPTION'],
    [{ url: 'amqp://a', queueType: 'stream' }, 'POSTHORN_INVALID_OPTION'],
    [{ url: 'amqp://a', heartbeatS: 0 }, 'POSTHORN_INVALID_OPTION'],
    [{ url: 'amqp://a', hearbeatS: 5 }, 'POSTHORN_UNKNOWN_OPTION'],
    [{ url: 'amqp://a', managementUrl: 'amqp://a' }, 'POSTHORN_INVALID_OPTION'],
    [{ url: 'amqp://a', managementUrl: 'http://user:100%@a' }, 'POSTHORN_INVALID_OPTION'],
    [{ url: 'http://a' }, 'POSTHORN_INVALID_URL'],
    [{ urls: ['amqp://a', 'nonsense'] }, 'POSTHORN_INVALID_URL'],
  ])('refuses %j', (options, code) => {
    expect(() => readOptions(options as never)).toThrow(expect.objectContaining({ code }))
  })

  test.each([
    { url: 'http://user:hunter2@a' },
    { url: ['amqp://user:hunter2@a'] },
    { url: 'amqp://user:hunter2%@a' },
    { url: 'amqp://a', managementUrl: 'http://user:hunter2%@a' },
    { url: 'amqp://a', managementUrl: 'ftp://user:hunter2@a' },
  ])('shows no password of %j', (options) => {
    expect(() => readOptions(options as never)).toThrow(/^(?!.*hunter2)/)
  })
})

describe('parseUrl', () => {
  test.each([
    [
      'amqp://localhost',
      { hostname: 'localhost', port: 5_672, username: 'guest', password: 'guest', vhost: '%2F' },
    ],
    [
      'amqps://u:p%40ss@host:1/my%2Fvhost',
      { protocol: 'amqps', port: 1, username: 'u', password: 'p@ss', vhost: 'my%2Fvhost' },
    ],
    ['amqps://host/', { port: 5_671, vhost: '%2F' }],
    ['amqp://[::1]:5', { hostname: '::1', port: 5 }],
  ])('reads %s', (url, connect) => {
    expect(parseUrl(url).connect).toMatchObject(connect)
  })
})
