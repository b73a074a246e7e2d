/**
 * What the embedded server is told beyond PostgreSQL's defaults, for a small machine that it
 * shares with the switch. Nothing here trades durability: fsync, full_page_writes and
 * synchronous_commit are on, and are named so that a look at the process shows it.
 */
export const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '100',
  shared_buffers: '256MB',
  // A checkpoint makes every page be logged whole once more, so they are spaced out; recovery
  // after a crash reads 4 GB at most, which takes seconds.
  max_wal_size: '4GB',
  min_wal_size: '1GB',
  checkpoint_timeout: '15min',
  wal_buffers: '16MB',
  // The outbox is a queue: vacuum must come soon and not dawdle.
  autovacuum_naptime: '10s',
  autovacuum_vacuum_cost_delay: '1ms',
  autovacuum_max_workers: '2',
  // Reports must not take both cores from payments.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  // Only the socket: no port to collide with, nobody from outside.
  listen_addresses: '',
  unix_socket_permissions: '0700',
  // A daemon that died without a word is noticed in half a minute.
  client_connection_check_interval: '5s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Errors are answers to the daemon, which logs those that matter; a batch that must be judged is one.
  log_min_messages: 'log',
  log_line_prefix: '%m [%p] %a ',
  // Statements hold customers' data.
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: '0',
} as const
