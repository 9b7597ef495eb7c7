// @ts-check

/**
 * Times are milliseconds since 1970, from the database's own clock.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('operations', table => {
    table.comment('Runs of check, backup, restore and verify');
    table
      .bigIncrements('number')
      .comment('Their order: two may be asked for in one millisecond');
    table.string('id', 36).notNullable().unique();
    table.string('kind', 16).notNullable();
    table.string('status', 16).notNullable();
    table.string('cluster_ref').notNullable();
    table.string('requested_by').notNullable();
    table.bigInteger('requested_at').notNullable();
    table.bigInteger('started_at');
    table.bigInteger('ended_at');
    table.string('worker_id', 36).comment('The replica that runs it');
    table.bigInteger('lease_expires_at');
    table
      .integer('attempt')
      .notNullable()
      .comment('The fence: an earlier attempt can write nothing');
    table.boolean('cancel_requested').notNullable();
    table.boolean('undoing').notNullable();
    table.string('step_name');
    table.string('step_title');
    table.text('bytes').comment('JSON');
    table.text('choices').comment('JSON: what was chosen for a backup');
    table.string('backup_id', 36);
    table.boolean('only_forward');
    table.boolean('needs_archive');
    table.double('outage_seconds');
    table.text('findings').comment('JSON');
    table.text('fault').comment('JSON');
    table.index(['status', 'number']);
    table.index(['cluster_ref', 'number']);
  });
  await knex.schema.raw(
    `create unique index operations_one_writer on operations (cluster_ref)
     where kind in ('backup', 'restore') and status in ('running', 'interrupted')`,
  );

  await knex.schema.createTable('operation_events', table => {
    table.comment('The log of each operation');
    table.bigIncrements('id');
    table
      .string('operation_id', 36)
      .notNullable()
      .references('id')
      .inTable('operations')
      .onDelete('CASCADE');
    table.bigInteger('at').notNullable();
    table.string('type', 16).notNullable();
    table.string('step');
    table.string('machine');
    table.text('message').notNullable();
    table.index(['operation_id', 'id']);
  });

  await knex.schema.createTable('backups', table => {
    table.comment('Archives, and what was proven about them');
    table.string('id', 36).primary();
    table.string('cluster_ref').notNullable();
    table.text('key').notNullable();
    table.bigInteger('created_at').notNullable();
    table.boolean('is_encrypted').notNullable();
    table.bigInteger('size').notNullable();
    table.bigInteger('snapshot_size').notNullable();
    table.bigInteger('revision').notNullable();
    table.string('member').notNullable();
    table.text('versions').notNullable().comment('JSON');
    table.text('gdc').comment('JSON');
    table.text('nodes').notNullable().comment('JSON');
    table.string('sha256', 64).notNullable();
    table.string('signer').notNullable();
    table.text('reservations').notNullable().comment('JSON');
    table.string('requested_by');
    table.string('operation_id', 36);
    table
      .boolean('before_restore')
      .notNullable()
      .comment('What a restore replaced');
    table.bigInteger('found_at').comment('In a store, without a record');
    table
      .text('hold')
      .comment('JSON: that it is to be kept, as the stores say');
    table.index(['cluster_ref', 'created_at', 'id']);
    table.index(['key']);
  });

  await knex.schema.createTable('backup_copies', table => {
    table.comment('What the stores gave when they were asked last');
    table
      .string('backup_id', 36)
      .notNullable()
      .references('id')
      .inTable('backups')
      .onDelete('CASCADE');
    table.string('store').notNullable();
    table.string('state', 16).notNullable();
    table.bigInteger('checked_at').notNullable();
    table.bigInteger('verified_at');
    table.bigInteger('locked_until');
    table.text('fault').comment('JSON');
    table.primary(['backup_id', 'store']);
  });

  await knex.schema.createTable('stores', table => {
    table.comment('Which disk or bucket each store is, for all replicas');
    table.string('id').primary();
    table.string('identity').notNullable();
  });

  await knex.schema.createTable('recipient_proofs', table => {
    table.comment('That an identity of a recipient is not lost');
    // A post-quantum recipient has 1959 characters.
    table.string('recipient', 2048).primary();
    table.bigInteger('proven_at').notNullable();
    table.string('proven_by').notNullable();
  });
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.dropTable('recipient_proofs');
  await knex.schema.dropTable('stores');
  await knex.schema.dropTable('backup_copies');
  await knex.schema.dropTable('backups');
  await knex.schema.dropTable('operation_events');
  await knex.schema.dropTable('operations');
};
