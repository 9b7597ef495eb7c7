// @ts-check

/**
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('custody', table => {
    table.comment('What was done to each archive; it outlives its record');
    table.bigIncrements('id');
    table.string('backup_id', 36).notNullable().index();
    table.bigInteger('at').notNullable();
    table.string('event', 16).notNullable();
    table.string('by');
    table.text('why');
    table.string('store');
    table.string('operation_id', 36);
  });
  await knex.schema.alterTable('operations', table => {
    table
      .string('audited_status', 16)
      .comment('The last end that the audit was told of');
  });
  await knex('operations').update({
    audited_status: knex.ref('operations.status'),
  });
  await knex.raw(
    `insert into custody (backup_id, at, event, "by", operation_id)
     select id, coalesce(found_at, created_at), case when found_at is null then 'created' else 'found' end,
       requested_by, operation_id
     from backups`,
  );
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.alterTable('operations', table => {
    table.dropColumn('audited_status');
  });
  await knex.schema.dropTable('custody');
};
