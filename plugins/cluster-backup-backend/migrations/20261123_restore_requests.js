// @ts-check

/**
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('restore_requests', table => {
    table.comment('Restores that a person asks a second one to approve');
    table.bigIncrements('number');
    table.string('id', 36).notNullable().unique();
    table.string('cluster_ref').notNullable();
    table.string('backup_id', 36).notNullable();
    table.string('status', 16).notNullable();
    table.string('requested_by').notNullable();
    table.bigInteger('requested_at').notNullable();
    table.bigInteger('expires_at').notNullable();
    table.text('reason').notNullable();
    table.text('choices').notNullable().comment('JSON');
    table
      .text('frozen')
      .notNullable()
      .comment('JSON: archive and target; where they differ now it is void');
    table.string('check_id', 36).notNullable().comment('An operation');
    table.string('decided_by');
    table.bigInteger('decided_at');
    table.text('decision_reason');
    table.boolean('is_emergency').notNullable();
    table.string('operation_id', 36).comment('What it was used up for');
    table.index(['cluster_ref', 'number']);
  });
  await knex.schema.alterTable('operations', table => {
    table.text('decision').comment('JSON: what was decided for a restore');
  });
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.alterTable('operations', table => {
    table.dropColumn('decision');
  });
  await knex.schema.dropTable('restore_requests');
};
