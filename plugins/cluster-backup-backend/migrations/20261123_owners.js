// @ts-check

/**
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('cluster_owners', table => {
    table.comment('Whose clusters are, as far as rights count it');
    table.string('cluster_ref').primary();
    table.text('owners').notNullable().comment('JSON: those who count');
    table
      .text('next_owners')
      .comment('JSON: what the catalog says since, until it counts');
    table.bigInteger('next_since').comment('When that was seen first');
    table
      .boolean('next_told')
      .notNullable()
      .comment('That the audit and the owners were told of it');
  });
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.dropTable('cluster_owners');
};
