"""What Alembic runs around the migrations: they all happen in the one transaction that the records are opened in."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table=context.config.attributes["version_table"],
    transactional_ddl=False,  # there is a transaction already
)
context.run_migrations()
