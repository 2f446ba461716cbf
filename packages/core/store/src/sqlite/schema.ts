import { checkPrefix } from '../checks/check-prefix.ts'

/**
 * The statements that `migrate` runs, for those who keep their migrations themselves. They can be run again. Times are
 * epoch milliseconds.
 */
export function sqliteSchema(prefix?: string): string {
  const name = checkPrefix(prefix, { step: 'sqliteSchema()' })
  return `
CREATE TABLE IF NOT EXISTS ${name}counter (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  value INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO ${name}counter (id, value) VALUES (1, 0);

CREATE TABLE IF NOT EXISTS ${name}claims (
  key TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  fence INTEGER NOT NULL,
  payload_hash TEXT,
  lease_end INTEGER NOT NULL,
  done INTEGER NOT NULL DEFAULT 0,
  result TEXT,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS ${name}claims_expires_at ON ${name}claims (expires_at);

CREATE TABLE IF NOT EXISTS ${name}records (
  collection TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  value TEXT NOT NULL,
  "index" TEXT,
  due_at INTEGER,
  expires_at INTEGER,
  PRIMARY KEY (collection, key)
) STRICT;
CREATE INDEX IF NOT EXISTS ${name}records_index ON ${name}records (collection, "index", key);
CREATE INDEX IF NOT EXISTS ${name}records_due_at ON ${name}records (collection, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS ${name}records_expires_at ON ${name}records (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS ${name}outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  key TEXT,
  body TEXT NOT NULL,
  appended_at INTEGER NOT NULL,
  free_at INTEGER NOT NULL,
  fence INTEGER NOT NULL DEFAULT 0,
  claims INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS ${name}outbox_key ON ${name}outbox (key, sequence) WHERE key IS NOT NULL;
`
}
