"""The database: engine, transactions, types, schema, views, bulk I/O, lease, migrations. It knows no API."""
